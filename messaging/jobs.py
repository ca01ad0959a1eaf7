"""Recurring work of the messages. Each job may run twice, or be cut off at any point."""

from django.utils import timezone
from django_tasks import task

from messaging import hook


@task()
def forget_hook_calls():
    """Forget nonces of the receipt hook that are too old to be used again."""
    return hook.forget(timezone.now())
