"""The record's recurring jobs. Each may run twice or be cut off at any point: the next run goes on."""

from django.utils import timezone
from django_tasks import task

from emr.actions import filing_delivery, filings, referrals
from emr.papers import retention
from emr.saved import thinning
from emr.sealing import adoption, chain
from emr.writing import cost


@task()
def expire_referrals():
    """Close referrals that nobody answered in time."""
    return referrals.expire_due(now=timezone.now())


@task()
def list_retention():
    """Write the list of files whose time of keeping ends this month."""
    return retention.write_list(retention.month_of(timezone.localdate()))


@task()
def adopt_seals():
    """Seal what was signed before there were seals."""
    return adoption.adopt()


@task()
def chain_seals():
    """Link the seals that came since."""
    return chain.chain_all()


@task()
def anchor_seals():
    """Write today's anchors of the chains that grew. Adoption opens before the first anchor, or never."""
    return chain.anchor() if adoption.state().opened else None


@task()
def tend_filings():
    """Go on with filings that were left behind, and ask after those whose answer never came."""
    return filing_delivery.tend(timezone.now())


@task()
def compare_filings():
    """Open and take back filings that were missed, and hold the closed ones against what the interfaces say."""
    now = timezone.now()
    made_up_for = filings.open_missing(now) + filings.cancel_missing(now)
    return made_up_for + filing_delivery.compare_all(now)


@task()
def measure_writing():
    """Measure what writing the newly signed notes cost."""
    return cost.measure_new()


@task()
def thin_drafts():
    """Thin the texts of drafts that were closed long ago to the last of each minute."""
    return thinning.thin(timezone.now())
