"""The secret of an account: written, used, never told."""

import pytest

from clinic.errors import Refused
from messaging import secrets
from messaging.secrets import SecretUnreadable


@pytest.mark.parametrize("secret", ["888888", "pässwörd", "密钥 with blanks", "x" * secrets.LONGEST])
def test_what_is_stored_is_not_the_secret_and_comes_back(secret):
    stored = secrets.store(secret)
    assert secret not in stored
    assert len(stored) <= 600
    assert secrets.reveal(stored) == secret


def test_a_usual_secret_fits_the_column():
    assert len(secrets.store("x" * secrets.LONGEST)) <= 300


def test_none_is_none():
    assert secrets.reveal(secrets.store("")) == ""


def test_the_same_secret_is_stored_differently_each_time():
    assert secrets.store("888888") != secrets.store("888888")


def test_another_key_reads_nothing_and_tells_nothing(settings):
    stored = secrets.store("888888")
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable) as refused:
        secrets.reveal(stored)
    told = f"{refused.value} {refused.value.__cause__} {refused.value.code}"
    assert stored not in told
    assert "888888" not in told


@pytest.mark.parametrize(
    "stored", ["enc:", "enc:gAAAAA", "plain", "env:PATH", "enc:密钥", "enc:" + "A" * 200]
)
def test_what_was_tampered_with_is_unreadable(stored):
    with pytest.raises(SecretUnreadable):
        secrets.reveal(stored)


def test_a_variable_is_read_when_it_is_used(monkeypatch):
    stored = secrets.store("env:SMS_MOBILE")
    assert stored == "env:SMS_MOBILE"
    with pytest.raises(SecretUnreadable, match="SMS_MOBILE"):
        secrets.reveal(stored)
    monkeypatch.setenv("SMS_MOBILE", "888888")
    assert secrets.reveal(stored) == "888888"


@pytest.mark.parametrize(
    "name", ["env:SHEYI_SECRET_KEY", "env:PATH", "env:", "env:SMS_", "env:sms_x", "env:SMS_X;"]
)
def test_no_other_variable_goes_over_the_wire(name):
    with pytest.raises(Refused):
        secrets.store(name)


@pytest.mark.parametrize("secret", ["x" * (secrets.LONGEST + 1), "a\x00b", "a\nb", "\ud800"])
def test_what_no_carrier_takes_is_refused(secret):
    with pytest.raises(Refused):
        secrets.store(secret)


def test_secrets_among_the_options_are_opened():
    options = {"listen_password": secrets.store("1234"), "node": 3010012345}
    assert secrets.opened(options) == {"listen_password": "1234", "node": 3010012345}


def test_where_it_is_says_nothing_of_it():
    stored = secrets.store("888888")
    assert stored not in secrets.where(stored)
    assert "SMS_X" in secrets.where("env:SMS_X")
