"""Sheets, as clients get them: the XML is read by another parser than what wrote it."""

import base64
import http.server
import json
import signal
import socket
import subprocess
import threading
import xml.etree.ElementTree as ET
import zlib

import pytest
from stack import BIN, DATA, Stack


def display(*formats, **parts):
    rows = {str(10 * i): [f"Row {i}", "text", "none", f] for i, f in enumerate(formats, 1)}
    return {"sheet_info": rows, **parts}


def sheets(display, *events, condition=None, option=None):
    return {"events": {e: [{"display": "d", "option": "o", "condition": "c"}] for e in events},
            "displays": {"d": display}, "options": {"o": option or {"focus": "no", "zip": 0}},
            "conditions": {"c": condition or {"whom": "dest"}}}


def permitted(**more):
    site = json.loads((Stack.ROOT / "config" / "demo" / "ctibus.json").read_text())
    words = [w for w in site["regcommands"]["all"] if w != "sheet"]
    return {"regcommands.all": [*words, "sheet"], **more}


class Sheet:
    def __init__(self, line):
        assert line["class"] == "sheet" and line["serial"] == "xml"
        data = base64.b64decode(line["payload"], validate=True)
        if line["compressed"]:
            length, data = int.from_bytes(data[:4], "big"), zlib.decompress(data[4:])
            assert length == len(data)
        self.compressed = line["compressed"]
        self.root = ET.fromstring(data)
        assert self.root.tag == "profile" and [e.tag for e in self.root] == ["user"]
        self.internal = {e.get("name"): e.text for e in self.root[0].iter("internal")}
        assert self.internal["channel"] == line["channel"] and self.internal["ipbxid"] == "xivo"
        self.where = self.internal["where"]
        self.rows = [e.text or "" for e in self.root[0].iter("sheet_info")]


def next_sheet(client):
    while True:
        line = client.line()
        if line.get("class") == "sheet" and "payload" in line:
            return Sheet(line)


def wait_for(client, where):
    while (sheet := next_sheet(client)).where != where:
        pass
    return sheet


@pytest.mark.parametrize("version", ["20", "1.8"])
def test_a_call_from_outside_is_shown_to_who_is_called(version):
    config = permitted(sheets=sheets(
        display("{xivo-calleridname}", "{xivo-calleridnum} -> {xivo-did}", "{dp-customer_id} {dp-note}"),
        "incomingdid", "dial", "link", "unlink", "hangup", option={"focus": "yes", "zip": 1}))
    with Stack(f"{version}/20-did-incoming.ami", pace="1000/s", config=config, sim_args=["--wait-login"]) as s:
        s.wait_ready("state", "cti-gw")
        alice = s.client("alice")
        first = wait_for(alice, "incomingdid")
        dial, *others = [next_sheet(alice) for _ in range(4)]
        assert [sheet.where for sheet in (dial, *others)] == ["dial", "link", "unlink", "hangup"]
        assert {sheet.internal["channel"] for sheet in others} == {first.internal["channel"]}
        assert dial.compressed and dial.internal["focus"] == "yes"
        assert dial.rows == ["Société Générale 0601020304", "0601020304 -> 0123456701",
                             "C-0304 client: prioritaire, été 100%"]


def hostile(tmp_path, name, note):
    """A capture in which the caller and the dialplan say this."""
    capture = tmp_path / "hostile.ami"
    data = (DATA / "1.8" / "02-call-answered.ami").read_bytes()
    data = data.replace(b"CallerIDName: Alice Martin", b"CallerIDName: " + name)
    event = (b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: dialplan2cti\r\n"
             b"UNIQUEID: 1795425203.0\r\nVARIABLE: note\r\nVALUE: " + note + b"\r\n\r\n")
    at = data.index(b"Event: UserEvent")
    capture.write_bytes(data[:at] + event + data[at:])
    return capture


@pytest.mark.parametrize("text", [
    b"]]></sheet_info></user></profile>", b"<b>&amp;&lt;", b"]]]]>>]]\x01>", b"\x1b[0m\x7f\x08x",
    "\ufffe\uffff\u0085\u2028é日本𝄞".encode(), b"caf\xe9 \xff\xfe", b"{xivo-channel}{db-x}",
    b"x" * 3000], ids=range(8))
def test_what_a_caller_says_is_text(tmp_path, text):
    capture = hostile(tmp_path, text, text)
    config = permitted(sheets=sheets(
        display("{xivo-calleridname}", "{dp-note}", "end",
                systray_info={"10": ["<&\"'>\n", "title", "", "{dp-note}"]},
                action_info={"10": ["", "urlauto", "", "http://crm/?n={dp-note}&a=1"]}), "dial"))
    with Stack(capture, config=config, sim_args=["--wait-login"]) as s:
        s.wait_ready("state", "cti-gw")
        sheet = wait_for(s.client("bob"), "dial")
        clean = text.decode(errors="replace")
        clean = "".join(c for c in clean if c >= " " and c not in "\ufffe\uffff")
        assert len(sheet.rows) == 3 and sheet.rows[2] == "end"
        if b"\xff" not in text: # what is no UTF-8 may be Latin-1 for the gateway
            assert sheet.rows[1] == clean
        assert sheet.rows[0] == sheet.rows[1]
        user = sheet.root[0]
        assert [e.tag for e in user if e.tag != "internal"] == ["sheet_info"] * 3 + ["systray_info", "action_info"]
        assert user.find("systray_info").get("name") == "<&\"'>\n"
        assert user.find("systray_info").text == sheet.rows[1]
        action = user.find("action_info").text
        assert action.startswith("http://crm/?n=") and action.endswith("&a=1") and action.count("&") == 1


def test_colleagues_have_names_from_the_directories():
    config = permitted(sheets=sheets(display("{db-fullname}", "{xivo-directory}"), "dial"))
    with Stack(config=config, sim_args=["--wait-login"]) as s:
        s.wait_ready("state", "cti-gw")
        assert wait_for(s.client("bob"), "dial").rows == ["Alice Martin", "Colleagues"]


def test_what_one_adds_the_others_see():
    config = permitted(sheets=sheets(display("x"), "dial", condition={"whom": "all"}))
    with Stack(config=config, sim_args=["--wait-login"]) as s:
        s.wait_ready("state", "cti-gw")
        s.start("cti-gw2")
        s.wait_ready("cti-gw2")
        alice, carol = s.client("alice"), s.client("carol", part="cti-gw2")
        channel = wait_for(alice, "dial").internal["channel"]
        wait_for(carol, "dial")
        answer = alice.ask("sheet", function="addentry", channel=channel, text="</x> hé")
        assert "error_string" not in answer and "warning_string" not in answer
        while (line := carol.line()).get("function") != "entryadded":
            pass
        assert line["class"] == "sheet" and line["channel"] == channel and line["text"] == "</x> hé"
        assert alice.ask("sheet", function="nosuch", channel=channel)["error_string"] == "function"
        assert alice.ask("sheet")["error_string"] == "missing:function"


def test_the_section_is_read_anew():
    with Stack(config=permitted(sheets={}), sim_args=["--wait-login"]) as s:
        s.wait_ready("state", "cti-gw")
        bob = s.client("bob")
        site = json.loads(s.path("ctibus.json").read_text())
        site["sheets"] = sheets(display("new"), "dial")
        s.path("ctibus.json").write_text(json.dumps(site))
        s.programs["state"].process.send_signal(signal.SIGHUP)
        assert wait_for(bob, "dial").rows == ["new"]


def test_check_tells_what_is_wrong():
    with Stack(parts=(), config=permitted(sheets=sheets(display("{what-x}"), "dial"))) as s:
        site = json.loads(s.path("ctibus.json").read_text())
        site["sheets"]["events"]["link"] = {"display": "nosuch"}
        s.path("ctibus.json").write_text(json.dumps(site))
        r = subprocess.run([BIN / "ctibus-state", "--config", s.path("ctibus.json"), "--check"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        assert r.returncode != 0
        assert "sheets.displays.d.sheet_info.10" in r.stdout and "what-x" in r.stdout
        assert "sheets.events.link.display" in r.stdout and '"nosuch"' in r.stdout


class Pictures(http.server.ThreadingHTTPServer):
    """A web server that has a picture of each user, of so many bytes; 0: it has none."""

    def __init__(self, size):
        super().__init__(("127.0.0.1", 0), PictureHandler)
        self.size, self.asked = size, []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class PictureHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200 if self.server.size else 404)
        self.end_headers()
        self.wfile.write(b"\x89PNG" * (self.server.size // 4))

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("size,shown", [(40000, True), (0, False), (100000, False)], ids=["one", "none", "too large"])
def test_a_caller_has_a_picture(size, shown):
    server = Pictures(size)
    url = f"http://127.0.0.1:{server.server_address[1]}/getatt.php?id={{xivo-userid}}&obj=user"
    config = permitted(sheets=sheets(display("{xivo-callerpicture}", "{xivo-calleridnum}"), "dial"),
                       **{"ctibus.sheets": {"picture_url": url}})
    with server, Stack("20/02-call-answered.ami", pace="1000/s", config=config, sim_args=["--wait-login"]) as s:
        s.wait_ready("state", "cti-gw")
        sheet = wait_for(s.client("bob"), "dial")
        assert sheet.rows[1] == "1001" and server.asked[0] == "/getatt.php?id=1&obj=user"
        if shown:
            assert base64.b64decode(sheet.rows[0], validate=True) == b"\x89PNG" * (size // 4)
        else:
            assert sheet.rows[0] == "none"
            s.programs["state"].says("sheets are sent without the picture of the caller")
        server.shutdown()


def test_a_server_of_pictures_that_hangs_delays_a_sheet_only():
    """Later sheets of the call come behind it, in their order."""
    config = permitted(sheets=sheets(display("{xivo-callerpicture}", "{xivo-calleridnum}"), "dial", "link"),
                       **{"ctibus.sheets": {"picture_url": "http://127.0.0.1:1/?{xivo-userid}"}})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config["ctibus.sheets"]["picture_url"] = f"http://127.0.0.1:{silent.getsockname()[1]}/?{{xivo-userid}}"
        with Stack("20/02-call-answered.ami", pace="1000/s", config=config, sim_args=["--wait-login"]) as s:
            s.wait_ready("state", "cti-gw")
            bob = s.client("bob")
            assert [next_sheet(bob).where for _ in range(2)] == ["dial", "link"]


@pytest.mark.parametrize("url", ["ftp://h/{xivo-userid}", "http:///x", "http://h/{name-x}"])
def test_addresses_of_pictures_that_are_none(url):
    with Stack(parts=()) as s:
        done = subprocess.run([BIN / "ctibus-state", "--config", s.path("ctibus.json"), "--check", "--set",
                               f"ctibus.sheets.picture_url={url}"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and "ctibus.sheets.picture_url" in done.stderr
