"""Production's settings, with the yardstick's address and a counter of statements."""

import os

from clinic.settings import *  # noqa: F403
from clinic.settings import MIDDLEWARE, PASSWORD_HASHERS, TEMPLATES

ROOT_URLCONF = "benchmark.urls"
MIDDLEWARE = ["benchmark.urls.CountStatements", "benchmark.urls.SealClock", *MIDDLEWARE]
TEMPLATES[0]["DIRS"].append(os.path.join(os.path.dirname(__file__), "templates"))
# One doctor of the bench signs and types more than a day's work in a minute: no lock-out, no other difference.
if os.environ.get("BENCH_PASSWORD") == "none":
    # As good as no check: what signing costs without Argon2.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
