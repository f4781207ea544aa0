/*
 * Budgets: how much of something each of many may use over time. A budget fills up at a rate, to
 * its burst at most; a caller that asks for more than is there is refused, or waits.
 *
 * An entry is forgotten once its budget is full again, so that there are only entries of users who
 * were active lately. Pure but for the time, which the caller gives.
 */
#ifndef CTIBUS_BASE_BUDGETS_H
#define CTIBUS_BASE_BUDGETS_H

#include "base/view.h"

#define BUDGETS_KINDS 4

struct budgets;
/* Of so many kinds (up to BUDGETS_KINDS), all without a limit at first. NULL without memory. */
struct budgets *budgets_new(size_t kinds);
void budgets_destroy(struct budgets **b);
/* Units per second, and how many may be used at once after a while of rest. rate 0: no limit. */
void budgets_set(struct budgets *b, size_t kind, double rate, double burst);

/* May `who` use so many units now? Then they are used. What is more than the whole burst is allowed
 * when the budget is full, and paid for afterwards. Without memory it is allowed. */
bool budgets_take(struct budgets *b, struct view who, size_t kind, double units, uint64_t now_us);
/* Uses them whether they are there or not: for what shows its cost only afterwards. */
void budgets_charge(struct budgets *b, struct view who, size_t kind, double units, uint64_t now_us);
/* Is there anything left? */
bool budgets_has(struct budgets *b, struct view who, size_t kind, uint64_t now_us);
/* True once a minute at most for each of them: a refusal is worth a log line. */
bool budgets_tell(struct budgets *b, struct view who, uint64_t now_us);
/* How many are remembered. */
size_t budgets_count(const struct budgets *b);

#endif
