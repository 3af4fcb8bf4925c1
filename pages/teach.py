"""For teachers: lesson plans with their links, what a class needs, and a link of one's own."""

import streamlit as st

from vae.lessons.plans import PLANS
from vae.web import teach

st.title("For teachers")
st.markdown(
    "Nothing here needs an account, and every view is a link. Students predict first, then look: "
    "one question stands before each section and each run, and wrong answers are refuted by a dial."
)

st.header("Lesson plans", anchor="plans")
st.markdown(
    "Each row opens the view that it speaks of, in presenter mode. Go on with *Next*, or with a "
    "clicker's PageDown. On your own screen, open the same page with `?notes=1` for the answers."
)
for plan in PLANS:
    teach.show_plan(plan)

st.header("A class votes", anchor="room")
st.markdown(
    "Open a room below, or in presenter mode on any page. The class joins by the QR code or by the "
    "link, without an account. Ask any question of the lessons, close the vote, and see the bars."
)
teach.show_room()
st.markdown(
    "**What then?** Vickrey et al. (2015) advise by the share that is right. Few: explain. Some: "
    "let them convince each other, and vote again. Most: go on. The room says which it is. Start a "
    "run on Train, and the whole room watches it. When it ends, everybody reads their own choice "
    "beside theory and what the run kept.\n\n"
    "A room is gone when you close it, three hours after it was last used, or with its server. "
    "Every page says so then, and you open another one."
)

st.header("A link of your own", anchor="builder")
st.markdown("Tick what your lesson shows. The link opens just that.")
teach.show_builder()

st.header("Machine time, and a full queue", anchor="machine")
teach.show_machine_time()
st.markdown(
    "One run trains at a time. Let the class predict and watch **your** run: it needs no queue. If "
    "students train themselves, their runs wait in turn. Whoever waits sees the place in the "
    "queue, and can read on meanwhile: the other pages need no trainer.\n\n"
    "Too long a queue? Let pairs share one run, take fewer epochs, or open *Trained weights* on "
    "Train: these need no training at all."
)

st.header("Hosting, privacy, accessibility, and an LMS", anchor="hosting")
st.markdown(
    "**Hosting.** One machine with two cores serves a class. README.md says how to start it, and "
    "how to do so on a free host. For hundreds of students `python -m vae serve` starts several "
    "servers with one address; a link to a room leads to the one that has it.\n\n"
    "**Privacy.** No account, no analytics, no other host. Answers stay in the student's browser. "
    "A room keeps counts in memory, and of a browser only that it has voted in this round. It is "
    "gone with the room. A free host may keep logs of its own: see README.md.\n\n"
    "**Accessibility.** Everything works by keyboard, and figures have text alternatives. Every "
    "page is checked with axe, in light and dark. Colour never speaks alone.\n\n"
    "**In an LMS.** A page stands in a frame with `?embed=true`, as "
    '`<iframe src="ADDRESS?embed=true" width="100%" height="700"></iframe>`. One figure alone '
    "by *Embed*, beside its dials. Over https a student in a frame keeps the own run after a "
    "reload.\n\n"
    "**On paper.** Print a page: it comes without controls, with folds open and the address at "
    "its foot."
)
