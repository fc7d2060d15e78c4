"""The report of made-up results: one HTML file, with every measure, in the figures of the results."""

import math
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simulations.planning import assumptions, report, tally, words
from simulations.planning.comparison import compare, estimate
from simulations.planning.measures import MEASURES
from simulations.planning.report_effect import incident_effect
from simulations.planning.report_measures import differences, measures
from simulations.planning.report_opening import opening
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario
from simulations.planning.tally import Tally
from tests.planning import made_up
from tests.planning.scenarios import AREA, MEDICS, RATE, TEN_LINES, cells_around, scenario

RUDE = "<script>alert('x_1^2')</script> & $5"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def results(*policies: str, replications: int = 30, medic_s: float = 400.0) -> Results:
    """Four alarms each, at two hours and in two cells, the last without a medic; a policy later is slower."""
    rows = []
    for replication in range(replications):
        calls = made_up.calls([700 + replication, 800, 900, 1000], hour=[0, 0, 9, 9])
        times = [
            [medic_s + replication % 3 + 20 * column, 500, 600, math.inf] for column in range(len(policies))
        ]
        rows.append(
            tuple(
                tally.of(calls, made_up.outcomes(each, medic_alerts=[3, 5], alerts=[4, 4, 4, 4]), 1.0)
                for each in times
            )
        )
    return Results(tuple(rows), policies, "all", 0.95)


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def plain(tmp_path: Path) -> Scenario:
    return scenario(tmp_path, TEN_LINES)


def test_nothing_is_fetched_from_anywhere(plain: Scenario) -> None:
    html = report.html(plain, results("now", "later"))
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "img", "object", "embed", "base"}
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert all(inside.startswith("#") for inside in re.findall(r"url\(['\"]?(.)", html))
    assert "@import" not in html


def test_every_measure_is_there_as_exactly_as_in_the_results(plain: Scenario) -> None:
    made = results("now", "later")
    html = report.html(plain, made)
    for measure in MEASURES:
        assert escape(measure.words) in html
        for column in (0, 1):
            found = estimate(made.rows, column, measure.name)
            assert found is not None
            for value in (found.mean, found.low, found.high):
                assert value is None or f'<data value="{value!r}">' in html
    for one in compare(made.rows):
        assert f'<data value="{one.difference.mean!r}">' in html
        assert f'<data value="{one.difference.low!r}">' in html


def test_a_difference_is_told_with_what_its_interval_includes(plain: Scenario) -> None:
    html = opening(plain, results("now", "later"))
    assert (
        "later less now, seconds gained: -5.0 s (95 % interval -5.0 to -5.0). It does not include 0: worse"
        in html
    )
    assert "later less now, alerts: the same in every replication." in html


def test_who_never_comes_is_in_the_tables_and_there_is_no_nan(plain: Scenario) -> None:
    html = report.html(plain, results("now"))
    assert '<data value="inf">never</data>' in html
    assert '<data value="0.25">25.0 %</data>' in html
    assert not re.search(r"\b(nan|NaN|inf|None|null)\b", " ".join(Page(html).words))


def test_names_from_the_scenario_are_text_and_nothing_else(tmp_path: Path) -> None:
    rude = scenario(tmp_path, f'title = "{RUDE}"\n{TEN_LINES}')
    html = report.html(rude, results(RUDE, "$\\frac{$"))
    assert "<script" not in html
    assert escape(RUDE) in html
    assert "$\\frac{$" in "".join(Page(html).words)


def test_a_map_stands_where_there_is_a_grid_and_only_there(tmp_path: Path, plain: Scenario) -> None:
    cells = cells_around(53.35, -6.25, resolution=8, rings=1)
    people = "h3,population\n" + "".join(f"{cell},10\n" for cell in cells)
    with_grid = scenario(tmp_path, AREA + MEDICS + RATE + '[grid]\ncsv = "people.csv"\n', people_csv=people)
    assert "No map" in report.html(plain, results("now"))
    html = report.html(with_grid, results("now", "later"))
    assert "No map" not in html
    assert "Maps of the region" in html
    assert "No map: of 1 cell with" in report.html(with_grid, results("now", replications=2))


def test_it_says_how_to_do_it_again(plain: Scenario) -> None:
    html = report.html(plain, results("now"))
    for told in (plain.digest, f"--seed {plain.seed}", "numpy", "responder-alert-dispatch"):
        assert told in html


def test_the_same_results_give_the_same_bytes(plain: Scenario) -> None:
    assert report.html(plain, results("now", "later")) == report.html(plain, results("now", "later"))


def test_one_replication_and_no_alarm_are_told_in_words(plain: Scenario) -> None:
    one = results("now", "later", replications=1)
    html = report.html(plain, replace(one, switched=one.rows))
    assert "One replication is too few" in html
    assert "<caption>What one replication had</caption>" in html
    assert "One replication has no intervals: they are of chance between several." in html
    assert "One is too few: from 30 on" in html
    for told in ("1 replication;", "Fay and Feuer", "They are few"):
        assert told not in "".join((*measures(one), *incident_effect(plain, replace(one, switched=one.rows))))
    nothing = made_up.calls([]), made_up.outcomes([])
    empty = Results(((tally.of(*nothing, 1.0),),), ("now",), "all", 0.95)
    html = report.html(plain, empty)
    assert "There was no alarm in any replication, and so no answer: give it more weeks or calls." in html
    assert "<ul></ul>" not in html
    assert "There was no alarm to draw." in html
    assert "nothing to count" in html


def test_nobody_to_ask_is_a_clear_zero_with_a_question(plain: Scenario) -> None:
    calls = made_up.calls([600, 700], hour=[3, 4])
    nobody = made_up.outcomes([math.inf, math.inf], medic_alerts=[0], nobody=[True, True])
    html = report.html(plain, Results(((tally.of(calls, nobody, 1.0),),) * 3, ("now",), "all", 0.95))
    assert "now: nobody was ever found to be asked. Is anybody available" in html
    assert "now, no medic came: 100.00 % (all of 6 alarms: at least 61 %)." in html
    assert "No map" in html


def test_no_alarm_before_the_ambulance_is_no_lack_of_medics(plain: Scenario) -> None:
    calls, nothing = made_up.calls([100, 110]), made_up.outcomes([math.inf, math.inf], medic_alerts=[0])
    html = opening(plain, Results(((tally.of(calls, nothing, 1.0),),) * 3, ("now",), "all", 0.95))
    assert "now: nobody was ever asked, or looked for: the ambulance was at the kerb before each" in html
    assert "nobody was ever found" not in html


def test_of_many_taken_for_overdue_it_says_who_was_asked_for_them(plain: Scenario) -> None:
    """Again, or where the policy asks nobody twice somebody else."""
    about = {"arrivals": [2, 2], "overdue_came": [1, 1], "alerts": [9, 9]}
    calls = made_up.calls([900, 900])
    once, again = (
        made_up.outcomes([300, 300], medic_alerts=[1], again_overdue=[n, n], **about) for n in (0, 5)
    )
    row = tuple(tally.of(calls, one, 1.0) for one in (once, again))
    html = opening(plain, Results((row,) * 3, ("once", "again"), "all", 0.95))
    told = ": 50 % of the medics who came to the patient had been taken for overdue before, and others asked"
    for policy, more in (("once", ""), ("again", ", with 5.00 alerts an alarm to medics who had one before")):
        assert f"{policy}{told}{more}. Its overdue_s_min" in html


def test_that_enough_were_made_is_said_of_what_was_looked_at(plain: Scenario) -> None:
    one, two = (
        replace(results(*names, replications=20), ended="enough") for names in (("now",), ("now", "later"))
    )
    assert "20 replications, of at most 30: the seconds gained were known" in opening(plain, one)
    assert "20 replications, of at most 30: the differences were known" in opening(plain, two)


def test_a_bound_that_can_not_be_is_cut(plain: Scenario) -> None:
    """An interval of two replications goes far beyond 0 and 100 %."""
    rows = [(tally.of(made_up.calls([600]), made_up.outcomes([s], [1]), 1.0),) for s in (300, math.inf)]
    html = report.html(plain, Results(tuple(rows), ("now",), "all", 0.95))
    assert '<data value="0.5">50.00</data> (<data value="0.0">0.00</data> to <data value="1.0">100.00' in html


def test_what_no_alarm_shows_is_told_with_what_so_many_may_hide() -> None:
    """An interval over replications that are all alike would have no width, and say that it never happens."""
    html = "".join(measures(results("now", "later")))
    told = "none in 120 alarms: at most 2.5 %"  # the rule of three: 3 / 120
    assert f'<th scope="row">Nobody was found to be asked</th><td>%</td>{2 * _cell("0.00", told)}' in html
    assert f"per alarm</td>{2 * _cell('0.00', 'none in 120 alarms')}" in html
    assert "may hide (95 %), had they nothing to do with each other." in html


def _cell(figure: str, told: str) -> str:
    return f'<td><data value="0.0">{figure}</data> ({told})</td>'


def test_what_so_many_alarms_may_hide() -> None:
    share, count = words.BY_NAME["nobody_came"], words.BY_NAME["alerts"]
    assert words.alike(share, 0.0, 100_000, 0.95) == "none in 100,000 alarms: at most 0.003 %"
    assert words.alike(share, 1.0, 100_000, 0.95) == "all of 100,000 alarms: at least 99.997 %"
    assert words.alike(share, 0.0, 1, 0.95) == "none in 1 alarm: at most 95 %"
    assert words.alike(count, 0.0, 7, 0.95) == "none in 7 alarms"


def test_what_intervals_exclude_is_said_of_this_run() -> None:
    made = results("now", "later")
    html = "".join((*measures(made), *differences(made)))
    assert "chance between 30 replications; how wrong the inputs may be is not in them." in html
    assert "With the samples" not in html
    drawn = replace(made, redrawn=made.rows[:5])
    html = "".join((*measures(drawn), *differences(drawn)))
    assert "5 replications more were made, the samples drawn anew in each." in html
    assert '<th scope="col">With the samples</th>' in html
    assert "how wrong the inputs may be is not in them" not in html


def test_differences_that_few_cases_make_are_named_with_their_policies() -> None:
    calls = made_up.calls([700, 800])

    def found(alerts: int, medic_s: float) -> Tally:
        return tally.of(calls, made_up.outcomes([medic_s, 500], [3], alerts=[alerts, 4]), 1.0)

    now, asks_one_more, is_slower = found(4, 400), found(5, 400), found(4, 401)
    rows = ((now, asks_one_more, is_slower), *(((now, now, now),) * 29))
    html = "".join(differences(Results(rows, ("now", "more", "slower"), "all", 0.95)))
    assert (
        "rest on few cases: the truth may lie further from 0 than their intervals say, and more rep" in html
    )
    assert (
        "fewer than 20 cases in which the two policies differ, over all replications; of seconds and" in html
    )
    assert "<li>more less now: Alerts.</li><li>slower less now: Seconds gained: " in html
    assert "few cases" not in "".join(differences(results("now", "later")))


def test_a_measure_that_is_never_with_some_samples_leaves_its_place() -> None:
    """What it says stands below its own heading."""
    made = results("now", "later")
    rarer = tuple(
        tuple(replace(one, values=one.values | {"first_medic_p50_s": math.inf}) for one in row)
        for row in made.rows[:5]
    )
    html = "".join(differences(replace(made, redrawn=rarer)))
    (table,) = re.findall(r"<table><caption>Paired differences.*?</table>", html, re.DOTALL)
    heading, *rows = re.findall(r"<tr>.*?</tr>", table, re.DOTALL)
    assert {row.count("<td>") for row in rows} == {heading.count("<th ") - 1}


def test_no_figure_is_minus_nothing_and_no_bound_looks_so() -> None:
    share, seconds = words.BY_NAME["medic_first"], words.BY_NAME["seconds_gained"]
    assert words.shown(share, (-0.000001, -0.2, 0.1), signed=True) == ["0.00", "-20.00", "+10.00"]
    assert words.shown(share, (-0.00003, -0.00004, -0.00002), signed=True) == ["-0.003", "-0.004", "-0.002"]
    assert words.shown(seconds, (-0.0,)) == ["0.0"]
    assert words.shown(seconds, (math.inf, None, None)) == ["never", "", ""]
    assert words.counted(1.2, "alarm") == "1 alarm"
    assert words.counted(0.04, "alarm") == "0.04 alarms"
    assert words.counted(2000, "medic") == "2,000 medics"


def test_every_figure_and_table_has_words_for_who_does_not_see_it(plain: Scenario) -> None:
    page = Page(report.html(plain, results("now", "later")))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("figure") == tags.count("figcaption") == 3
    assert all(about.get("aria-label") for _, about in page.tags if about.get("role") == "img")
    assert tags.count("table") == tags.count("caption") == tags.count("thead")
    ids = [about["id"] for _, about in page.tags if "id" in about]
    assert len(ids) == len(set(ids))


def test_a_source_stands_beside_its_own_value_only(tmp_path: Path) -> None:
    text = TEN_LINES + "[behaviour]\nseen = 0.5\n"
    found = {one.key: one for one in assumptions.of(scenario(tmp_path, text).keys, ["cardiac_arrest"])}
    assert found["behaviour.seen"].source.startswith("set by the scenario; the default is 0.756 (")
    assert "set by" not in found["behaviour.accepts_if_seen"].source
    assert found["incidents.by_hour"].value.startswith("0.65 from 0:00, 1.3 from 6:00")
    assert found["medics.modes"].value == "foot 0.3, bicycle 0.4, car 0.3"
    assert (found["behaviour.on_scene_s"].value, found["times.collapse_sigma"].value) == ("600, 1800", "0")


def test_every_number_that_is_assumed_has_a_source() -> None:
    numbers = {
        f"{name}.{key}"
        for name, section in assumptions.DEFAULTS.items()
        for key in section.__struct_fields__
        if name not in ("medics", "incidents") and getattr(section, key) is not None
    }
    assert numbers <= set(assumptions.SOURCES)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt install chromium")
def test_a_browser_draws_it(tmp_path: Path, plain: Scenario) -> None:
    path, picture = tmp_path / "report.html", tmp_path / "report.png"
    report.write(plain, results("now", "later"), path)
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1000,2000", f"--screenshot={picture}", path.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=90)
    assert picture.stat().st_size > 20_000  # an empty page is a tenth of that
