"""Your loss: paste, correct, compare, ask; the address carries it; a stranger's text stays text."""

import asyncio
import json

import pytest
from appserver import Server
from benchmarks.client import Session
from hostile import HOST, TEXTS
from page_runs import control, run_page, text_of

from vae.config import TrainConfig
from vae.web.train.page_state import PageState
from vae.web.your_loss import train
from vae.web.your_loss.asked import EXAMPLE, OWN, Asked, from_query, pack, read_first
from vae.your_loss import census, clinic

BCE = """\
def loss(x_hat, x, mu, logvar):
    error = F.binary_cross_entropy(x_hat, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return error + kld_weight * kl
"""
WEIGHTLESS = EXAMPLE.replace("error + kl", "error + 0.1 * kl")
LAPLACE = EXAMPLE.replace("mse_loss", "l1_loss")


def paste(app, code):
    control(app.text_area, "loss_code").set_value(code).run()
    assert not app.exception, app.exception
    return app


def shown(app) -> str:
    return "\n".join([text_of(app), *(box.value for box in (*app.success, *app.warning))])


def asked_of(app) -> Asked:
    query = {name: str(app.query_params[name]) for name in app.query_params if name in OWN}
    asked, wrong = from_query(query)
    assert wrong == ()
    return asked


def charts(app) -> dict[str, dict]:
    return {c.key: json.loads(c.proto.spec) for c in app.get("vega_lite_chart")}


def test_the_page_opens_with_the_census_and_the_answer_to_an_example():
    app = run_page("your_loss")
    assert [header.value for header in app.header] == [
        "What public code has decided",
        "Paste yours",
    ]
    assert [part.value[:1] for part in app.subheader] == list("1234567")
    assert "σ = 19.8" in shown(app)
    assert "Twice the pixels" in shown(app)
    assert len(app.get("vega_lite_chart")) == 3
    assert not app.query_params


def test_a_pasted_loss_is_read_and_travels_in_the_address():
    app = paste(run_page("your_loss"), EXAMPLE.replace("return error", "return 10 * error"))
    assert "σ² = 39.2" in shown(app)
    again = run_page("your_loss", loss=app.query_params["loss"])
    assert shown(again) == shown(app)
    assert control(again.text_area, "loss_code").value == asked_of(app).code


def test_a_constant_that_the_code_does_not_give_is_asked_for_and_set():
    app = paste(run_page("your_loss"), BCE)
    assert "Numbers that the code does not give" in shown(app)
    field = control(app.text_input, "loss_constant:kld_weight")
    field.set_value("3").run()
    assert "with β = 3" in shown(app)
    assert read_first(asked_of(app)).beta == pytest.approx(3)
    # Emptied again, it is asked for again.
    control(app.text_input, "loss_constant:kld_weight").set_value("").run()
    assert asked_of(app).constants == ()


CHOOSING = EXAMPLE.replace(
    "    error = F.mse_loss(x_hat, x)\n",
    "    if self.model == 'mse':\n        error = F.mse_loss(x_hat, x)\n"
    "    elif self.model == 'l1':\n        error = F.l1_loss(x_hat, x)\n",
)
FLAG = EXAMPLE.replace("error + kl", "error + kl if cfg.plain else error + 4 * kl")


def test_what_the_code_does_not_decide_is_asked_said_and_taken_back():
    app = paste(run_page("your_loss"), CHOOSING)
    assert "What the code does not decide" in shown(app)
    control(app.selectbox, "loss_constant:self.model").set_value("l1").run()
    assert "Laplace" in shown(app)
    assert asked_of(app).constants == (("self.model", "l1"),)
    control(app.selectbox, "loss_constant:self.model").set_value("mse").run()
    assert "σ² = 392" in shown(app)
    control(app.selectbox, "loss_constant:self.model").set_value(None).run()
    assert asked_of(app).constants == ()
    assert "set that, and the loss is read" in shown(app)


def test_which_of_several_losses_is_meant_is_asked():
    first = EXAMPLE.replace("loss_function", "plain_loss")
    second = EXAMPLE.replace("loss_function", "weighted_loss").replace("+ kl", "+ 2 * kl")
    app = paste(run_page("your_loss"), first + second)
    assert "Two losses" in shown(app)
    folds = {each.label: each.proto.expanded for each in app.expander}
    assert folds["Who is who in the code"] is False
    control(app.selectbox, "loss_function").set_value("weighted_loss").run()
    assert "σ² = 784" in shown(app)
    assert asked_of(app).function == "weighted_loss"
    # Emptied, it is asked again.
    control(app.selectbox, "loss_function").set_value(None).run()
    control(app.selectbox, "loss_function").set_value("plain_loss").run()
    assert "σ² = 392" in shown(app)
    paste(app, EXAMPLE)
    assert asked_of(app) == Asked()


def test_whether_a_condition_holds_is_asked():
    app = paste(run_page("your_loss"), FLAG)
    box = control(app.selectbox, "loss_constant:cfg.plain")
    assert list(box.options) == ["holds", "does not hold"]
    box.set_value("true").run()
    assert "σ² = 392" in shown(app)
    control(app.selectbox, "loss_constant:cfg.plain").set_value("false").run()
    assert "σ² = 1,568" in shown(app)


def test_a_name_of_which_nothing_is_said_is_offered_and_answered():
    code = EXAMPLE.replace("F.mse_loss(x_hat, x)", "((b - a) ** 2).mean()")
    code = code.replace("x_hat, x,", "b, a,")
    app = paste(run_page("your_loss"), code)
    # A square is the same either way: it is read, and who is who may be put right.
    assert "σ² = 392" in shown(app)
    assert control(app.selectbox, "loss_role:b").value == "target"
    control(app.selectbox, "loss_role:b").set_value("output").run()
    assert asked_of(app).roles == (("b", "output"),)
    assert "σ² = 392" in shown(app)


def test_any_name_of_the_code_can_be_given_a_role():
    app = run_page("your_loss")
    control(app.selectbox, "loss_another_name").set_value("error").run()
    control(app.selectbox, "loss_role:error").set_value("z").run()
    assert asked_of(app).roles == (("error", "z"),)


def test_a_role_that_is_given_counts_more_than_what_fits():
    """exp(logvar) of a variance is no part of a KL: only a name that is guessed may be doubted."""
    app = run_page("your_loss")
    control(app.selectbox, "loss_role:logvar").set_value("var").run()
    assert "no KL to N(0, 1)" in shown(app).replace("\\", "")


def test_a_role_is_corrected_and_can_be_taken_back():
    app = run_page("your_loss")
    control(app.selectbox, "loss_role:mu").set_value("z").run()
    assert ("mu", "z") in asked_of(app).roles
    assert "σ² = 392" not in shown(app)
    control(app.selectbox, "loss_role:mu").set_value("mean").run()
    assert "σ² = 392" in shown(app)


def test_sizes_change_the_reading_and_a_wrong_one_is_a_sentence():
    app = run_page("your_loss")
    control(app.text_input, "loss_image").set_value("100").run()
    assert "σ² = 50" in shown(app)
    control(app.text_input, "loss_image").set_value("wide").run()
    assert "wide" in app.warning[0].value
    assert "784 or 3x64x64" in app.warning[0].value
    assert control(app.text_area, "loss_code").value == EXAMPLE
    control(app.text_input, "loss_image").set_value("").run()
    assert not app.warning


@pytest.mark.parametrize("code", ["", "hello", "x = (", "def f():\n  return 1", "\0", "💥" * 50])
def test_what_is_no_loss_gets_a_sentence_and_stays_in_the_field(code):
    app = paste(run_page("your_loss"), code)
    assert len(app.warning) == 1
    assert not app.subheader
    assert control(app.text_area, "loss_code").value == code
    # Nothing is folded that has nothing in it.
    for fold in app.expander:
        assert fold.children, fold.label


@pytest.mark.parametrize("entry", clinic(), ids=lambda entry: entry.id)
def test_every_question_opens_with_its_loss_and_its_answer(entry):
    app = run_page("your_loss", question=entry.id)
    assert control(app.text_area, "loss_code").value == entry.code
    assert control(app.selectbox, "loss_question").value == entry.id
    assert entry.source in app.info[0].value
    assert bool(app.subheader) == entry.reading().read


def test_a_chosen_question_is_pasted_and_left_when_the_code_changes():
    app = run_page("your_loss")
    entry = clinic()[0]
    control(app.selectbox, "loss_question").set_value(entry.id).run()
    assert app.query_params["question"] == entry.id
    assert control(app.text_area, "loss_code").value == entry.code
    paste(app, EXAMPLE)
    assert control(app.selectbox, "loss_question").value is None
    assert not app.info
    assert not app.query_params


def test_a_size_counts_while_an_address_is_on_its_way_and_back_goes_back():
    app = run_page("your_loss")
    control(app.text_input, "loss_latents").set_value("32").run()
    older = dict(app.query_params)
    control(app.text_input, "loss_batch").set_value("64").run()

    def come_with(query):
        for name, text in query.items():
            app.query_params[name] = text

    # With a size comes the address that the browser still has.
    come_with(older)
    control(app.text_input, "loss_image").set_value("3x64x64").run()
    asked = asked_of(app)
    assert (asked.latents, asked.batch, asked.image) == ("32", "64", "3x64x64")
    # The browser's Back brings an address and nothing else.
    app.query_params.clear()
    come_with(older)
    app.run()
    asked = asked_of(app)
    assert (asked.latents, asked.batch, asked.image) == ("32", "", "")


def test_two_losses_stand_side_by_side():
    app = run_page("your_loss")
    control(app.text_area, "loss_second").set_value(EXAMPLE.replace("+ kl", "+ 2 * kl")).run()
    assert "weighs its KL 2 times as heavily" in shown(app)
    assert "| first | second |" in shown(app)
    control(app.text_area, "loss_second").set_value("x = (").run()
    assert app.warning
    # The first is answered all the same.
    assert len(app.subheader) == 7


def test_a_field_that_was_not_drawn_for_a_while_comes_back_with_its_text():
    app = run_page("your_loss")
    control(app.text_area, "loss_second").set_value(BCE).run()
    for wrong in ("foo", "bar"):
        control(app.text_input, "loss_image").set_value(wrong).run()
        assert not [each for each in app.text_area if each.key == "loss_second"]
    control(app.text_input, "loss_image").set_value("784").run()
    field = control(app.text_area, "loss_second")
    assert field.value == BCE
    # The browser draws it anew: it is told what stands in it.
    assert field.proto.set_value
    assert field.proto.value == BCE


def test_a_public_loss_is_ringed_and_told():
    entry = census()[3]
    app = run_page("your_loss")
    app.selectbox(key="public").set_value(entry.id).run()
    assert entry.source.split("/")[0] in shown(app)
    assert f"{entry.sigma2:.4g}" in shown(app)


def test_a_control_of_the_address_and_the_pasted_code_stand_beside_one_another(app: Server):
    async def paste_under_a_ring() -> tuple[list[str], str]:
        session = await Session(app.url, f"your_loss?public={census()[3].id}").open()
        field = next(w.proto.label for w in session.widgets.values() if w.kind == "text_area")
        for code in (WEIGHTLESS, EXAMPLE, WEIGHTLESS):
            await session.set(field, code)
        await session.close()
        return session.counts.exceptions, session.query

    exceptions, query = asyncio.run(paste_under_a_ring())
    assert exceptions == []
    assert f"public={census()[3].id}" in query
    assert f"loss={pack(Asked(code=WEIGHTLESS))}" in query


def test_a_wanted_sigma_gives_the_factor_and_ones_own_data_a_count():
    app = run_page("your_loss")
    app.number_input(key="wanted").set_value(1.98).run()
    assert f"{1.98**2 / 392:.4g}" in shown(app)
    control(app.text_input, "loss_own_data").set_value("5000, 600, 3").run()
    assert "**2** of 3 latents survive" in shown(app)
    control(app.text_input, "loss_own_data").set_value("many").run()
    assert "positive numbers" in app.warning[0].value


def test_what_others_put_into_the_address_stays():
    app = run_page("your_loss", present="1")
    paste(app, BCE)
    assert app.query_params["present"] == "1"
    assert "loss" in app.query_params


def test_a_link_hides_what_a_class_does_not_need_and_keeps_what_it_says():
    link = pack(Asked(code=EXAMPLE, image="100"))
    app = run_page("your_loss", loss=link, hide="clinic,sizes,names,second,wanted,public")
    keys = {each.key for each in (*app.text_input, *app.selectbox, *app.number_input)}
    assert keys == {"loss_own_data"}
    assert [area.key for area in app.text_area] == ["loss_code"]
    assert "σ² = 50" in shown(app)
    paste(app, EXAMPLE + "# more\n")
    assert asked_of(app).image == "100"
    assert app.query_params["hide"]


def test_a_code_too_long_for_a_link_says_so_and_leaves_the_address_alone():
    noise = "".join(f"# {number * 7919 % 104729} {number**3}\n" for number in range(1000))[:19_000]
    app = paste(run_page("your_loss"), EXAMPLE + noise)
    assert "loss" not in app.query_params
    assert "too long for a link" in shown(app)


@pytest.mark.parametrize(
    ("code", "settings", "against"),
    [
        (EXAMPLE, {"likelihood": "gaussian", "scale": 19.79899}, "gaussian-learned"),
        (BCE.replace("kld_weight", "4"), {"likelihood": "bernoulli", "beta": 4.0}, "bernoulli"),
        (
            EXAMPLE.replace("F.mse_loss(x_hat, x)", "F.cross_entropy(x_hat, x)"),
            {"likelihood": "categorical", "beta": 784.0},
            "categorical",
        ),
        # A scale of 784 is beyond the control: 20 with beta 39.2 is the same trade.
        (LAPLACE, {"likelihood": "laplace", "scale": 20.0, "beta": 39.2}, "laplace-learned"),
    ],
)
def test_a_loss_and_its_elbo_are_trained_from_one_seed(code, settings, against):
    pair = train.pair_of(read_first(Asked(code=code)))
    assert isinstance(pair, PageState)
    first, second = pair.members
    assert first == TrainConfig(**settings, latent_dim=20)
    assert (second.likelihood, second.beta, second.seed) == (against, 1.0, first.seed)


def test_a_learned_scale_is_trained_as_its_own_elbo():
    code = EXAMPLE.replace("mu, logvar):", "mu, logvar, log_sigma_x):").replace(
        "F.mse_loss(x_hat, x)",
        "(0.5 * ((x - x_hat) / log_sigma_x.exp()) ** 2 + log_sigma_x).sum(1).mean()",
    )
    pair = train.pair_of(read_first(Asked(code=code)))
    assert pair is not None
    assert [config.likelihood for config in pair.members] == ["gaussian-learned"]


def test_what_cannot_be_trained_says_why():
    huber = read_first(Asked(code=EXAMPLE.replace("mse_loss", "huber_loss")))
    assert huber.family == "huber"
    assert train.pair_of(huber) is None
    assert "no such likelihood" in train.why_not(huber)
    tiny = read_first(Asked(code=EXAMPLE.replace("return error", "return 1e14 * error")))
    assert train.pair_of(tiny) is None
    assert "beyond" in train.why_not(tiny)
    app = run_page(
        "your_loss", loss=pack(Asked(code=EXAMPLE.replace("mse_loss(", "1e14 * F.mse_loss(")))
    )
    assert not [button for button in app.button if button.label == "Train it"]


@pytest.mark.parametrize("kind", TEXTS)
def test_hostile_code_names_and_roles_are_shown_as_text(kind):
    text = TEXTS[kind][:400]
    named = f'def loss(x_hat, x, mu, logvar):\n    a = cfg["{HOST}"] * www.evil.example(x)\n'
    code = named + f"    # {text}\n    k = {text!r}\n" + "\n".join(EXAMPLE.splitlines()[1:])
    code = code.replace("error + kl", f"error + args[{text!r}] * kl + a")
    asked = Asked(
        code=code,
        second=text,
        image=text[:40],
        constants=((text[:100], "2"), ("www.evil.example", text[:50])),
        roles=((text[:100], "z"), ("//evil.example", "mean")),
    )
    for given in (asked, Asked(code=text), Asked(code=code), Asked(code=code, second=code)):
        app = run_page("your_loss", loss=pack(given))
        assert control(app.text_area, "loss_code").value == given.code
        for element in (*app.markdown, *app.warning, *app.success, *app.info, *app.error):
            assert_plain(element.value)
        for each in (*app.text_input, *app.selectbox):
            assert_plain(each.label)


def assert_plain(text: str) -> None:
    """No host stands where markdown would read it: neither bare nor in brackets."""
    import re

    outside = re.sub(r"(?<!`)(`+)(?!`)[^\n]+?(?<!`)\1(?!`)", "", text)
    for found in re.finditer(re.escape(HOST), outside):
        before = outside[max(0, found.start() - 12) : found.start()]
        # A sign that would begin something stands apart from the host.
        assert not re.search(r"(//|www\.|@)$", before), text
    assert not re.search(r"(?<!\\)[<\[]\s*(?:img|a |x\]|sign)", outside), text
