"""Recurring work of the messages. Each job may run twice, or be cut off at any point."""

from django.utils import timezone
from django_tasks import task

from messaging import building, hook, quota
from messaging.actions import campaigns
from messaging.dispatching import compaction
from messaging.models import Campaign


@task()
def forget_hook_calls():
    """Forget nonces of the receipt hook that are too old to be used again."""
    return hook.forget(timezone.now())


@task()
def tend_allowances():
    """Settle what no dispatcher settled, and write down which allowances are nearly used up."""
    return quota.tend(timezone.now())


@task()
def build_campaign(pk):
    """Count the audience of a campaign and queue its messages."""
    return building.build(Campaign.objects.get(pk=pk)).recipients


@task()
def build_left_behind():
    """Go on with audiences whose job died."""
    return building.build_left_behind(timezone.now())


@task()
def clear_cancelled():
    """Cancel what cancelled campaigns still have waiting."""
    return campaigns.clear_left_behind(timezone.now())


@task()
def add_up_tallies():
    """Many small changes of the counts become one row each."""
    return compaction.add_up()
