"""Keys of seals: made once, kept to their owner, changed without losing the old ones."""

import base64
import multiprocessing
import os
import stat
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from clinic import anchors
from emr.sealing import keys as seal_keys


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.ANCHORS, settings.SEAL_KEYS, settings.SEAL_KEY = tmp_path / "anchors", tmp_path / "keys", ""


def command(*words):
    out = StringIO()
    call_command("seal_keys", *words, stdout=out)
    return out.getvalue()


def test_a_key_is_made_at_first_use_and_stays():
    first = seal_keys.sign(b"a")
    assert seal_keys.sign(b"a") == first
    seal_keys._loaded.clear()
    assert seal_keys.sign(b"a") == first
    assert seal_keys.check(first[0], b"a", first[1])


def test_the_private_key_is_its_owners_alone():
    key, _signature = seal_keys.sign(b"a")
    mode = (seal_keys.folder() / f"{key}.key.pem").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(seal_keys.folder().stat().st_mode) == 0o700


@pytest.mark.parametrize("wrong", ["", "nonsense", "A" * 88, "密", base64.b64encode(b"x" * 64).decode()])
def test_what_the_key_did_not_sign_is_refused(wrong):
    key, signature = seal_keys.sign(b"a")
    assert not seal_keys.check(key, b"a", wrong)
    assert not seal_keys.check(key, b"b", signature)


@pytest.mark.parametrize("key", ["0123456789abcdef", "../../secret_key", "", "x" * 500])
def test_an_unknown_key_is_told_as_missing(key):
    with pytest.raises(seal_keys.PublicKeyMissing):
        seal_keys.check(key, b"a", "")


def test_a_file_cannot_pass_for_another_key():
    first = seal_keys.sign(b"a")
    other = seal_keys.new()
    file = seal_keys.folder() / f"{first[0]}.pub.pem"
    file.write_bytes((seal_keys.folder() / f"{other}.pub.pem").read_bytes())
    with pytest.raises(seal_keys.PublicKeyMissing):
        seal_keys.check(*first[:1], b"a", first[1])


def test_every_key_is_registered_outside_once():
    first, _signature = seal_keys.sign(b"a")
    second = seal_keys.new()
    seal_keys._registered.clear()
    seal_keys.sign(b"b")
    lines = anchors.read_lines(seal_keys.REGISTER)
    assert [line["key"] for line in lines] == [first, second]
    assert seal_keys.id_of(base64.b64decode(lines[0]["public"])) == first


def test_many_processes_at_first_use_end_with_one_key(settings, tmp_path):
    folders = str(tmp_path / "keys"), str(tmp_path / "anchors")
    context = multiprocessing.get_context("fork")
    with context.Pool(8) as pool:
        keys = pool.map(sign_in_process, [folders] * 24, chunksize=1)
    assert len(set(keys)) == 1
    assert len(list((tmp_path / "keys").glob("*.key.pem"))) == 1
    assert not [name for name in os.listdir(tmp_path / "keys") if name.startswith(".")]


def sign_in_process(folders):
    seal_keys._loaded.clear()
    return seal_keys.sign(b"a")[0]


def test_another_key_is_used_by_running_processes_and_the_old_one_still_verifies():
    old = seal_keys.sign(b"a")
    key = seal_keys.new()
    assert seal_keys.sign(b"a")[0] == old[0]
    seal_keys.use(key)
    assert seal_keys.sign(b"a")[0] == key
    assert seal_keys.check(old[0], b"a", old[1])


def test_a_key_from_the_environment(settings):
    settings.SEAL_KEY = base64.b64encode(b"k" * 32).decode()
    key, signature = seal_keys.sign(b"a")
    public = Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key()
    assert key == seal_keys.id_of(public.public_bytes_raw())
    assert not list(seal_keys.folder().glob("*.key.pem"))
    settings.SEAL_KEY = ""
    assert seal_keys.check(key, b"a", signature)


@pytest.mark.parametrize("given", ["nonsense", "AAAA", "密"])
def test_an_unusable_key_signs_nothing(settings, given):
    settings.SEAL_KEY = given
    with pytest.raises(seal_keys.KeyUnusable) as refused:
        seal_keys.sign(b"a")
    assert refused.value.status == 503


def test_a_broken_pointer_signs_nothing():
    seal_keys.sign(b"a")
    (seal_keys.folder() / "current").write_text("../../etc")
    with pytest.raises(seal_keys.KeyUnusable):
        seal_keys.sign(b"a")


def test_an_unwritable_anchor_folder_holds_no_signature_up(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.ANCHORS = tmp_path / "file" / "anchors"
    assert seal_keys.sign(b"a")


def test_the_command_lists_makes_and_takes_into_use():
    assert "还没有密钥" in command("list")
    old = seal_keys.sign(b"a")[0]
    command("new")
    key = next(name for name in seal_keys.known() if name != old)
    assert command("list").count("\n") == 2
    command("use", key)
    assert f"{key}  使用中" in command("list")


def test_the_command_names_a_foreign_key():
    key = seal_keys.sign(b"a")[0]
    anchors.path(seal_keys.REGISTER).write_text("")
    assert f"{key}  使用中  不是本机构的密钥" in command("list")


def test_the_command_uses_no_key_that_is_not_there(settings):
    with pytest.raises(CommandError):
        command("use", "0123456789abcdef")
    settings.SEAL_KEY = base64.b64encode(b"k" * 32).decode()
    with pytest.raises(CommandError):
        command("use", "0123456789abcdef")
