"""The map, from the bottom floor up; a floor imports those below it (.importlinter holds it).

config, errors, memo, files,         what everybody may use
cores, numerals, servers
beliefs                              every likelihood's names, once: words, looks, loss, script
wire                                 what the worker and the server say to each other
images, theory, your_loss            pictures; closed forms; reading pasted losses (numpy)
engine                               likelihoods, ELBO, networks, training (PyTorch)
runs, rooms                          the server's side of training: queue, watch, records; votes
serve                                several servers behind a proxy
shipped, charts                      trained weights and their cards; figures
ledger, lessons, export              claims and verdicts; words of the lessons; what is taken away
quiz                                 questions that are asked before the answer is seen
web, worker, cli                     the pages (Streamlit); the process that trains; python -m vae
"""

__version__ = "2.0.0"
