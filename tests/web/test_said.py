"""What a screen reader is told of a change: once, politely, and nothing that was there already."""

import json
import shutil
import subprocess

import pytest
from appserver import ROOT
from page_runs import control, is_quiet, run_page, said

from vae.charts.derivation.steps import STEPS
from vae.web.your_loss.asked import EXAMPLE

LAPLACE = EXAMPLE.replace("mse_loss", "l1_loss")


def test_a_new_verdict_a_refusal_and_a_comparison_are_spoken() -> None:
    app = run_page("your_loss")
    assert is_quiet(app)
    opening = said(app)
    assert "19.8" in opening

    def after(key: str, text: str) -> str:
        control(app.text_area, key).set_value(text).run()
        assert not app.exception, app.exception
        return said(app)

    verdict = after("loss_code", LAPLACE)
    assert "Laplace" in verdict
    assert any("Laplace" in box.value for box in app.success)
    # What is not read changes nothing that was said of it.
    assert after("loss_code", LAPLACE + "# a comment\n") == verdict
    refused = after("loss_code", "print('no loss')")
    assert refused.startswith("Not read. ")
    control(app.text_input, "loss_image").set_value("a lot").run()
    assert "a lot" in said(app)
    control(app.text_input, "loss_image").set_value("").run()
    assert after("loss_code", EXAMPLE) == opening
    compared = after("loss_second", LAPLACE)
    assert compared not in (opening, verdict)
    assert after("loss_second", "print('no loss')").startswith("The second is not read. ")


def test_the_line_of_the_derivation_that_is_shown_is_spoken() -> None:
    app = run_page("derivation")
    assert is_quiet(app)
    assert said(app) == f"Line 1 of {len(STEPS)}: {STEPS[0].title}."
    for label, sentence in (
        ("Next", f"Line 2 of {len(STEPS)}: {STEPS[1].title}."),
        ("All", f"All {len(STEPS)} lines."),
        ("Back", f"Line {len(STEPS) - 1} of {len(STEPS)}: {STEPS[-2].title}."),
    ):
        [button] = [button for button in app.button if button.label == label]
        button.click().run()
        assert said(app) == sentence


_REGION = """
const { default: tell } = await import(process.argv[2]);
const texts = JSON.parse(process.argv[3]);
const results = [true, false].map((quiet) => {
  let now = "", spoken = [];
  const region = {
    dataset: {},
    get textContent() { return now; },
    set textContent(text) { if (text) spoken.push(text); now = text; },
  };
  const parentElement = { querySelector: () => region };
  for (const said of texts) tell({ parentElement, data: [{ said, quiet, follow: {}, rows: {} }] });
  return spoken;
});
console.log(JSON.stringify(results));
"""


def test_only_what_changed_is_spoken_and_not_what_a_page_opens_with(tmp_path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on the PATH (Debian: apt-get install nodejs)")
    module = tmp_path / "said.mjs"
    module.write_bytes((ROOT / "vae/web/assets/said.js").read_bytes())
    script = tmp_path / "listen.mjs"
    script.write_text(_REGION)
    texts = ["one", "one", "two", "two", "one"]
    done = subprocess.run(
        [node, str(script), str(module), json.dumps(texts)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [["two", "one"], ["one", "two", "one"]]
