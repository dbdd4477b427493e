"""The open house: settings, warehouse and the person at work, handed to every verb."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet import plugins
from proofsheet.domain.campaign import BrandKit, Campaign
from proofsheet.errors import BusyError, NotFoundError
from proofsheet.execution import Executor
from proofsheet.settings import Settings, load_settings

if TYPE_CHECKING:
    from warehouse.store import Reader, Warehouse

#: Called with what is being done, how much is done, and how much there is in all.
Progress = Callable[[str, int, int], None]

#: How a picture kept in the warehouse is written in a saved campaign: independent of any folder.
KEPT = "kept"


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What every verb works in."""

    settings: Settings
    warehouse: Warehouse
    user: str

    @property
    def executor(self) -> Executor:
        """Where work runs, by the setting ``executor``."""
        chosen: Executor = plugins.load(plugins.EXECUTORS, self.settings.executor)()
        return chosen

    @contextmanager
    def alone(self, name: str, doing: str) -> Iterator[None]:
        """Hold a piece of work that only one process may do at a time; it is given up when the process ends.

        Raises:
            BusyError: another process holds it.
        """
        from filelock import FileLock, Timeout

        folder = self.warehouse.home / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / f"{name}.lock", timeout=0):
                yield
        except Timeout:
            raise BusyError(f"Another process is {doing} already.", "Wait for it to end, or stop it.") from None

    def compute_cost(self, seconds: float) -> Decimal:
        """What this machine's time costs by the setting ``compute_price_per_hour``, to six decimals."""
        price = self.settings.compute_price_per_hour * Decimal(str(round(seconds, 3))) / 3600
        return price.quantize(Decimal("0.000001"))

    def campaign(self, reader: Reader, slug: str | None = None) -> Campaign:
        """A saved campaign with its pictures' paths made whole; the only one there is when no slug is given.

        Raises:
            NotFoundError: there is no such campaign, or several and none was named.
        """
        return self.whole(reader.campaign(slug or self.only_slug(reader)))

    def only_slug(self, reader: Reader) -> str:
        """The slug of the only campaign.

        Raises:
            NotFoundError: there is none, or there are several.
        """
        slugs = [campaign.slug for campaign in reader.campaigns()]
        if len(slugs) == 1:
            return slugs[0]
        if not slugs:
            raise NotFoundError(
                f"There is no campaign in {self.settings.home} yet.",
                "Plan one first: proofsheet plan examples/norda/brief.toml",
            )
        raise NotFoundError(
            f"There are {len(slugs)} campaigns, and none was named.",
            f"Name one of: {', '.join(slugs)}.",
        )

    def keep(self, campaign: Campaign) -> Campaign:
        """Copy the campaign's pictures and fonts into the warehouse and refer to them by hash, not by folder."""

        def kept(path: Path) -> Path:
            return Path(KEPT) / self.warehouse.pictures.put(path.read_bytes())

        return _with_paths(campaign, kept)

    def whole(self, campaign: Campaign) -> Campaign:
        """The campaign with readable paths in place of hashes."""

        def path_of(path: Path) -> Path:
            return self.warehouse.pictures.path(path.name) if path.parts[:1] == (KEPT,) else path

        return _with_paths(campaign, path_of)


def _with_paths(campaign: Campaign, change: Callable[[Path], Path]) -> Campaign:
    brief, brand = campaign.brief, campaign.brand

    def font(name: str) -> str:
        """A font file is kept like a picture; the name of a bundled family stays."""
        path = Path(name)
        return str(change(path)) if path.is_absolute() or path.parts[:1] == (KEPT,) else name

    product = replace(brief.product, image=change(brief.product.image))
    changed_brand: BrandKit = replace(
        brand,
        logo=change(brand.logo) if brand.logo else None,
        references=tuple(change(path) for path in brand.references),
        headline_font=font(brand.headline_font),
        body_font=font(brand.body_font),
    )
    return Campaign(brief=replace(brief, product=product), brand=changed_brand)


def open_house(settings: Settings | None = None, *, home: Path | None = None) -> House:
    """Open the house at ``home`` (or where the settings say); nothing is created before the first write."""
    from warehouse.store import Warehouse

    chosen = settings or load_settings(home=home)
    return House(
        settings=chosen,
        warehouse=Warehouse(chosen.home, lease_timeout=chosen.lease_timeout),
        user=chosen.user or _login(),
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
