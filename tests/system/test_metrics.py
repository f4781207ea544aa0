"""Each service shows what the table of metrics says that it has, and nothing else."""

import pytest

from metrics import SERVICES, of_service, shown
from sites import pair, sites
from stack import Stack, until


@pytest.fixture(scope="module", name="site")
def one_site():
    """A site with every service, and another site that it does not reach."""
    paris, lyon = pair(capture="20/02-call-answered.ami", config={
        "main.incoming_tcp.WEBI": ["127.0.0.1", 0, True], "main.incoming_tcp.INFO": ["127.0.0.1", 0, True],
        "main.incoming_udp.ANNOUNCE": ["127.0.0.1", 0, True]})
    paris.set("ctibus.webhooks", {"crm": {"url": "https://crm.example.com/"}})
    # a database that is not there: its metric is
    paris.set("ctibus.features", {"publish": ["userfeatures"], "userfeatures": {
        "db_uri": "postgresql://u:p@127.0.0.1:1/x"}})
    with sites(paris, lyon):
        paris.start("sim")
        yield paris.run(*SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_what_the_table_says(site, service):
    wanted, found = of_service(service), shown(site.programs[service])
    assert set(found) == set(wanted)
    for name, (kind, said, samples) in found.items():
        assert (kind, said) == (wanted[name].kind, wanted[name].meaning)
        assert samples
        for labels, _ in samples:
            assert tuple(n for n in labels if n != "le") == wanted[name].labels, name


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_process_says_of_itself(site, service):
    found = shown(site.programs[service])
    value = {name: samples[0][1] for name, (_, _, samples) in found.items()}
    assert value["ctibus_ready"] == 1
    assert 5 < value["process_open_fds"] < value["process_max_fds"]
    assert value["process_resident_memory_bytes"] > 1e6 and value["process_cpu_seconds_total"] > 0
    labels, one = found["ctibus_build_info"][2][0]
    assert one == 1 and labels["service"] == service and labels["version"]


def test_what_is_not_there_is_shown_as_such(site):
    assert shown(site.programs["state"])["ctibus_state_database_up"][2] == [({}, 1)]
    assert shown(site.programs["federation"])["ctibus_federation_up"][2] == [({"site": "lyon"}, 0)]
    site.kill("sim")
    until(lambda: site.metric("ami-gw", "ctibus_ready") == 0, "ami-gw is not ready")
    assert site.metric("ami-gw", "ctibus_ami_up") == 0
    site.start("sim")
    until(lambda: site.metric("ami-gw", "ctibus_ready") == 1, "ami-gw is ready again", 60)


def test_a_site_that_is_reached_is_up():
    with sites(*pair()) as (paris, lyon):
        paris.run("state", "federation")
        lyon.run("state", "federation")
        until(lambda: paris.metric("federation", "ctibus_federation_up") == 1, "lyon is up")


def test_calls_and_agents_are_counted():
    with Stack("20/14-agent.ami") as s:
        s.wait_ready("state", "ami-gw")
        until(lambda: s.metric("state", "ctibus_state_queue_callers") == 1, "a caller waits")
        until(lambda: s.metric("state", "ctibus_state_channels") >= 2, "a call is up")

        def agents():
            return {labels["availability"]: n for labels, n in shown(s.programs["state"])["ctibus_state_agents"][2]
                    if labels["ipbx"] == "xivo"}
        total = len(s.snapshot("agents"))
        until(lambda: agents()["logged_out"] == total - 1, "an agent is logged in")
        until(lambda: agents()["unavailable"] == 1, "it is in the call")
        assert sum(agents().values()) == total
