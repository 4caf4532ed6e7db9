/* SPDX-License-Identifier: Apache-2.0
 * Chooses the instance that a smaller group terminates, by its termination policies. Pure. */
#include "base/clock.h"
#include "engine/scaling/scaling_internal.h"
#include "store/instance.h"

/* A member that may go, with what policies compare; smaller goes first. */
struct candidate {
	const struct scaling_member *m;
	const struct instance *i;
};

static int64_t number_in(const struct instance *i, const char *key)
{
	const struct tag *tag = i ? tags_find(i->tags, str_from(key)) : NULL;
	int64_t value = 0;
	return tag && result_is_ok(str_parse_int(tag->value, &value)) ? value : 0;
}

static int64_t age_us(const struct candidate *c, int64_t now_us)
{
	return now_us - c->m->row.created_us;
}

/* Instances of a launch configuration go before those of a template, and older versions before newer ones. */
static int64_t key_of(struct str policy, const struct candidate *c, int64_t now_us)
{
	int64_t version = number_in(c->i, "aws:ec2launchtemplate:version");
	bool is_configured = c->m->launch_configuration.n > 0;
	if (str_is(policy, "OldestInstance"))
		return c->m->row.created_us;
	if (str_is(policy, "NewestInstance"))
		return -c->m->row.created_us;
	if (str_is(policy, "OldestLaunchTemplate"))
		return is_configured ? INT64_MAX : version;
	if (str_is(policy, "OldestLaunchConfiguration"))
		return is_configured ? c->m->row.created_us : INT64_MAX;
	if (str_is(policy, "ClosestToNextInstanceHour"))
		return -(age_us(c, now_us) % HOUR);
	return is_configured ? -1 : version; /* Default, up to its last rule */
}

/* The number of members in the zone. */
static size_t count_zone(const struct tables *t, uuid group, uuid zone)
{
	size_t count = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group); m;
	     m = scaling_member_next_by_scaling_group(t, m))
		count += scaling_member_counts(m) && uuid_equal(m->zone, zone);
	return count;
}

static bool may_go(const struct scaling_member *m, int64_t units)
{
	bool is_stage = m->stage == SCALING_MEMBER_STAGE_IN_SERVICE ||
			m->stage == SCALING_MEMBER_STAGE_PENDING ||
			m->stage == SCALING_MEMBER_STAGE_PENDING_WAIT;
	return is_stage && !scaling_is_warm(m) && !m->is_protected && m->units <= units;
}

/* Negative: a goes before b. */
static int compare(const struct scaling_group *group, const struct candidate *a, const struct candidate *b,
		   int64_t now_us)
{
	static const char *const standard[] = {"Default", "ClosestToNextInstanceHour"};
	const struct strs *own = &group->termination_policies;
	for (size_t k = 0; k < own->count; k++) {
		int64_t x = key_of(own->at[k], a, now_us), y = key_of(own->at[k], b, now_us);
		if (x != y)
			return x < y ? -1 : 1;
	}
	for (size_t k = 0; k < 2; k++) {
		int64_t x = key_of(str_from(standard[k]), a, now_us),
			y = key_of(str_from(standard[k]), b, now_us);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return uuid_compare(a->m->row.id, b->m->row.id);
}

/* With a refresh: among those that it is to replace. */
static const struct scaling_member *choose(const struct tables *t, const struct scaling_group *group,
					   const struct scaling_refresh *refresh, int64_t units,
					   int64_t now_us)
{
	struct candidate found = {0};
	size_t most = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		if (!may_go(m, units) || (refresh && !scaling_is_stale(t, group, refresh, m)))
			continue;
		const struct candidate c = {m, instance_find(t, m->instance)};
		size_t count = count_zone(t, group->row.id, m->zone);
		if (found.m && (count < most || (count == most && compare(group, &c, &found, now_us) > 0)))
			continue;
		found = c;
		most = count;
	}
	return found.m;
}

/* Instances that an instance refresh is to replace go first. */
const struct scaling_member *engine_choose_scaling_member(const struct tables *t,
							  const struct scaling_group *group, int64_t units,
							  int64_t now_us)
{
	const struct scaling_refresh *refresh = engine_find_scaling_refresh(t, group->row.id);
	const struct scaling_member *stale = refresh ? choose(t, group, refresh, units, now_us) : NULL;
	return stale ? stale : choose(t, group, NULL, units, now_us);
}
