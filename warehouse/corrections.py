"""Corrected reports: a later import replaces the rows it says anew, and nothing is counted twice.

Platforms restate their numbers for days, and people export overlapping periods. No row is ever deleted; a row that a
later import says anew is marked with that import's number (``replaced_by``), and reads skip it.

**Delivery rows.** An earlier row is replaced when a later import of the same platform has a row of the same ad over an
overlapping time, and either

- both are about the same period, placement and segment (the plain correction), or
- their periods differ (a day against a week, or rows without a day), or they are broken down differently (by placement
  or not, or by other segment keys): such rows overlap, and adding them would count people twice.

An ad is the same when its id is the same; where one of the two rows has no id, when name, ad group and campaign are
the same (and the account, where both name one). Rows of one import never replace each other. Note what follows: a
later report that carries fewer columns replaces the earlier row whole.

**Unit-level facts.** A file with one row per unit (kind ``units``) replaces earlier such files unit by unit: the unit's
exposure, and its outcomes of the kinds that the file holds for anybody (a 0 writes no outcome, and still corrects an
earlier 5). In event files (kind ``events``) an event that is in two files, equal
in experiment, unit, arm or event, value and time, counts once.
"""

from __future__ import annotations

from warehouse.engine import Session

_BY_ID = "old.ad_id = new.ad_id AND old.ad_id <> ''"
_BY_NAME = (
    "old.ad = new.ad AND old.ad_group = new.ad_group AND old.campaign = new.campaign "
    "AND (old.ad_id = '' OR new.ad_id = '') "
    "AND (old.account = new.account OR old.account = '' OR new.account = '')"
)
_SAME_CELL = (
    "old.day IS NOT DISTINCT FROM new.day AND old.day_end IS NOT DISTINCT FROM new.day_end "
    "AND old.grain = new.grain AND old.placement = new.placement AND old.segment = new.segment"
)
_OTHER_SHAPE = (
    "(old.day IS NULL OR new.day IS NULL OR (old.day <= coalesce(new.day_end, new.day) "
    "AND new.day <= coalesce(old.day_end, old.day))) "
    "AND (old.grain <> new.grain OR old.day IS DISTINCT FROM new.day OR old.day_end IS DISTINCT FROM new.day_end)"
)
_SHAPE = "platform, account, campaign, ad_group, ad, ad_id, day, day_end, grain"


def replace_deliveries(session: Session, import_no: int) -> None:
    """Mark the earlier delivery rows that import ``import_no`` says anew."""
    earlier = session.row(
        "SELECT 1 FROM deliveries WHERE import_no < $1 AND platform IN "
        "(SELECT DISTINCT platform FROM deliveries WHERE import_no = $1) LIMIT 1",
        [import_no],
    )
    if earlier is None:
        return
    for same_ad in (_BY_ID, _BY_NAME):
        session.rows(
            "UPDATE deliveries AS old SET replaced_by = $1 FROM (SELECT DISTINCT platform, account, campaign, "
            "ad_group, ad, ad_id, day, day_end, grain, placement, segment FROM deliveries WHERE import_no = $1) new "
            "WHERE old.import_no < $1 AND old.replaced_by IS NULL AND old.platform = new.platform "
            f"AND {same_ad} AND {_SAME_CELL}",
            [import_no],
        )
        # Shapes, not rows, are compared here: there are far fewer of them.
        session.rows(
            f"WITH new AS (SELECT DISTINCT {_SHAPE} FROM deliveries WHERE import_no = $1), "
            f"old AS (SELECT DISTINCT {_SHAPE} FROM deliveries WHERE import_no < $1 AND replaced_by IS NULL), "
            "gone AS (SELECT DISTINCT old.* FROM old JOIN new ON old.platform = new.platform "
            f"AND {same_ad} AND {_OTHER_SHAPE}) "
            "UPDATE deliveries AS d SET replaced_by = $1 FROM gone WHERE d.import_no < $1 AND d.replaced_by IS NULL "
            + " ".join(f"AND d.{name} IS NOT DISTINCT FROM gone.{name}" for name in _SHAPE.split(", ")),
            [import_no],
        )


def replace_unit_facts(session: Session, import_no: int, kind: str) -> None:
    """Mark the earlier exposures and outcomes that import ``import_no`` says anew."""
    same = "old.import_no IN (SELECT import_no FROM imports WHERE kind = $2)"
    if kind == "units":
        said = {
            "exposures": "SELECT DISTINCT experiment, unit FROM exposures WHERE import_no = $1",
            "outcomes": "SELECT DISTINCT e.experiment, e.unit, o.event FROM exposures e "
            "JOIN (SELECT DISTINCT experiment, event FROM outcomes WHERE import_no = $1) o USING (experiment) "
            "WHERE e.import_no = $1 UNION SELECT experiment, unit, event FROM outcomes WHERE import_no = $1",
        }
        keys = {"exposures": ["experiment", "unit"], "outcomes": ["experiment", "unit", "event"]}
    else:
        keys = {
            "exposures": ["experiment", "unit", "arm", "seen_at"],
            "outcomes": ["experiment", "unit", "event", "value", "happened_at"],
        }
        said = {
            table: f"SELECT DISTINCT {', '.join(names)} FROM {table} WHERE import_no = $1"
            for table, names in keys.items()
        }
    for table, names in keys.items():
        session.rows(
            f"UPDATE {table} AS old SET replaced_by = $1 FROM ({said[table]}) new "
            f"WHERE old.import_no < $1 AND old.replaced_by IS NULL AND {same} "
            + " ".join(f"AND old.{name} = new.{name}" for name in names),
            [import_no, kind],
        )
