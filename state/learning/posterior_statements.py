"""What is asked of the table of posteriors: reads by cell, by arm and pooled, and what one lesson adds."""

from sqlalchemy import bindparam, select, text

from ..column_types import UtcMicroseconds
from ..records import Evidence
from ..schema import columns_for, posteriors
from ..statements import Statement

POOLED = "*"
"""The cell that stands for all cells of an arm together."""

_READ = select(*columns_for(posteriors, Evidence)).where(posteriors.c.org == bindparam("org"))
READ_CELLS = _READ.where(posteriors.c.task_cell != POOLED).order_by(
    posteriors.c.task_cell, posteriors.c.model_id
)
READ_POOLED = _READ.where(posteriors.c.task_cell == POOLED).order_by(posteriors.c.model_id)
READ_LEVELS = Statement(
    _READ.where(text("posteriors.task_cell IN (:task_cell, :pooled)")).order_by(posteriors.c.model_id)
)
READ_ARM = Statement(
    _READ.where(
        text("posteriors.task_cell IN (:task_cell, :pooled)"), posteriors.c.model_id == bindparam("model_id")
    )
)
LOG_ONCE = Statement(
    text(
        "INSERT INTO evidence_log (org, call_id, step, task_cell, model_id, success, failure, reward, predicted,"
        " org_calls, created_at)"
        " VALUES (:org, :call_id, :step, :task_cell, :model_id, :success, :failure, :reward, :predicted,"
        " :org_calls, :now)"
        " ON CONFLICT DO NOTHING RETURNING step"
    ).bindparams(bindparam("now", type_=UtcMicroseconds))
)
# Locks the arm's rows, the pooled one first, so that writers of one arm stand in one line whatever cell they
# write to; `calls_seen` comes back as it was.
COUNT = Statement(
    text(
        "INSERT INTO posteriors (org, task_cell, model_id, tier, successes, failures, reward_sum, predicted_sum,"
        " weight, calls_seen, rescue_tries, rescues, updated_at)"
        " VALUES (:org, :pooled, :model_id, :tier, :success, :failure, 0, 0, 0, :org_calls, :tried, :rescued, :now),"
        " (:org, :task_cell, :model_id, :tier, :success, :failure, 0, 0, 0, :org_calls, :tried, :rescued, :now)"
        " ON CONFLICT (org, task_cell, model_id) DO UPDATE SET tier = excluded.tier,"
        " successes = posteriors.successes + excluded.successes,"
        " failures = posteriors.failures + excluded.failures,"
        " rescue_tries = posteriors.rescue_tries + excluded.rescue_tries,"
        " rescues = posteriors.rescues + excluded.rescues, updated_at = excluded.updated_at"
        " RETURNING task_cell, calls_seen"
    ).bindparams(bindparam("now", type_=UtcMicroseconds))
)
DISCOUNT_AND_ADD = Statement(
    text(
        "UPDATE posteriors SET reward_sum = reward_sum * :g + :reward,"
        " predicted_sum = predicted_sum * :g + :predicted, weight = weight * :g + 1,"
        " reward_total = reward_total + :reward, predicted_total = predicted_total + :predicted,"
        " weight_total = weight_total + 1, fast_reward = fast_reward * :fast_gamma + :reward,"
        " fast_predicted = fast_predicted * :fast_gamma + :predicted, fast_weight = fast_weight * :fast_gamma + 1,"
        " drift_up = CASE WHEN drift_up + :rise > 0 THEN drift_up + :rise ELSE 0 END,"
        " drift_down = CASE WHEN drift_down + :fall > 0 THEN drift_down + :fall ELSE 0 END,"
        " drift_calls = drift_calls + :watched,"
        " return_odds = CASE WHEN forgotten_weight <= 0 THEN 0"
        " WHEN (return_odds + :hope) * :return_ratio > :most_odds THEN :most_odds"
        " ELSE (return_odds + :hope) * :return_ratio END,"
        " calls_seen = CASE WHEN calls_seen < :org_calls THEN :org_calls ELSE calls_seen END"
        " WHERE org = :org AND task_cell = :cell AND model_id = :model_id"
    )
)
BEGIN_ANEW = text(
    "UPDATE posteriors SET"
    " forgotten_reward = CASE WHEN :is_worse = 1 THEN forgotten_reward + reward_total - fast_reward ELSE 0 END,"
    " forgotten_predicted = CASE WHEN :is_worse = 1"
    " THEN forgotten_predicted + predicted_total - fast_predicted ELSE 0 END,"
    " forgotten_weight = CASE WHEN :is_worse = 1 THEN forgotten_weight + weight_total - fast_weight ELSE 0 END,"
    " return_odds = 0, reward_sum = fast_reward * :keep, predicted_sum = fast_predicted * :keep,"
    " weight = fast_weight * :keep, reward_total = fast_reward * :keep, predicted_total = fast_predicted * :keep,"
    " weight_total = fast_weight * :keep, drift_up = 0, drift_down = 0, drift_calls = 0, drifts = drifts + 1,"
    " drifted_at = calls_seen, drifted_on = :now"
    " WHERE org = :org AND task_cell = :pooled AND model_id = :model_id AND drift_calls >= :drift_calls"
).bindparams(bindparam("now", type_=UtcMicroseconds))
CLEAR_CELLS = text(
    "UPDATE posteriors SET reward_sum = 0, predicted_sum = 0, weight = 0, reward_total = 0, predicted_total = 0,"
    " weight_total = 0, fast_reward = 0, fast_predicted = 0, fast_weight = 0, drift_up = 0, drift_down = 0,"
    " drift_calls = 0 WHERE org = :org AND task_cell <> :pooled AND model_id = :model_id"
)
