"""AMI over TLS: the whole way from a certificate to a phone that is seen."""

import subprocess

import pytest
from stack import BIN, Stack, until

LINK = "ipbxes.xivo.ipbx_connection."


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that has signed itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "cert.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=pbx", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-out", cert, "-keyout", key], check=True, capture_output=True)
    return cert, key


def stack_over_tls(certificate, **keys):
    cert, key = certificate
    return Stack("20/02-call-answered.ami", parts=("sim", "state", "ami-gw"),
                 sim_args=["--tls-cert", cert, "--tls-key", key],
                 config={LINK + "tls": True, **{LINK + k: v for k, v in keys.items()}})


def test_a_trusted_certificate(certificate):
    with stack_over_tls(certificate, tls_ca=str(certificate[0])) as s:
        s.wait_ready("state", "ami-gw")
        s.programs["ami-gw"].says("(TLSv1.3 ")
        assert not s.programs["ami-gw"].logged("tls_verify")


def test_an_unknown_one_is_refused_until_nobody_asks(certificate):
    with stack_over_tls(certificate) as s:
        gw = s.programs["ami-gw"]
        until(lambda: gw.logged("TLS certificate refused, signed by pbx"), "the refusal")
        assert not s.is_ready("ami-gw")
    with stack_over_tls(certificate, tls_verify=False) as s:
        s.wait_ready("state", "ami-gw")
        s.programs["ami-gw"].says("tls_verify is false: anybody on the way")


def check(stack):
    return subprocess.run([BIN / "ctibus-ami-gw", "--config", stack.path("ctibus.json"), "--check"],
                          capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("text, reason", [(None, "No such file"), ("no certificate", "no certificate")])
def test_a_bad_ca_file_is_told(text, reason):
    with Stack(parts=(), config={LINK + "tls": True, LINK + "tls_ca": "ca.pem"}) as s:
        if text:
            s.path("ca.pem").write_text(text)
        done = check(s)
        assert done.returncode == 2
        assert done.stderr.startswith(f"{s.path('ctibus.json')}: {LINK}tls_ca: {s.path('ca.pem')}: ")
        assert reason in done.stderr


def test_a_good_ca_file_is_relative_to_the_configuration(certificate):
    with Stack(parts=(), config={LINK + "tls": True, LINK + "tls_ca": "ca.pem"}) as s:
        s.path("ca.pem").write_text(certificate[0].read_text())
        assert check(s).returncode == 0
