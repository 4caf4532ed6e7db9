/* SPDX-License-Identifier: Apache-2.0
 * Monthly software use, compared with a second rater that looks at every second of random histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "metering/software_use.h"

enum { GUESTS = 4, HOSTS = 3, SPAN_S = 3 * 3600, CHANGES = 60, ROUNDS = 60 };

static struct arena *arena;
static struct ctx c;

static int set_up(void **state)
{
	(void) state;
	arena = arena_new(ARENA_FIRST_SIZE, (size_t) 64 << 20);
	ctx_init(&c, arena);
	return 0;
}

static int tear_down(void **state)
{
	(void) state;
	arena_free(arena);
	return 0;
}

static uuid id_of(int n)
{
	uuid id = {0};
	id.b[15] = (uint8_t) (n + 1);
	return id;
}

static struct month november(void)
{
	struct month m;
	assert_true(result_is_ok(month_parse(&c, STR("2026-11"), &m)));
	return m;
}

/* ---- histories ---- */

struct guest {
	int64_t vcpus; /* 0: it is off */
	int host, source;
};

struct history {
	struct software_use use;
	int64_t now_s;
	struct guest guests[GUESTS];
	unsigned seed;
};

static unsigned draw(struct history *h, unsigned limit)
{
	h->seed = h->seed * 1664525U + 1013904223U;
	return (h->seed >> 16) % limit;
}

static void say(struct history *h, int guest, const struct guest *g, int64_t level)
{
	char host[UUID_TEXT_SIZE], meter[128];
	int n = snprintf(meter, sizeof meter, "software:rhel:%s:%s", licence_source_words[g->source],
			 uuid_write(id_of(100 + g->host), host));
	assert_true(
		result_is_ok(software_use_take(&h->use, &c, id_of(50), id_of(guest),
					       (struct str){meter, (size_t) n}, h->now_s * SECOND, level)));
}

/* Like in the engine, the old use ends and the new one begins in the same second. */
static void change(struct history *h)
{
	int n = (int) draw(h, GUESTS);
	struct guest next = {.vcpus = draw(h, 3) ? (int64_t) (1 + draw(h, 8)) : 0,
			     .host = (int) draw(h, HOSTS),
			     .source = (int) draw(h, 2)};
	struct guest *g = &h->guests[n];
	bool is_same_place = g->vcpus && g->host == next.host && g->source == next.source;
	if (g->vcpus && (!next.vcpus || !is_same_place))
		say(h, n, g, 0);
	if (next.vcpus && !(is_same_place && g->vcpus == next.vcpus))
		say(h, n, &next, next.vcpus);
	*g = next;
}

/* The second rater: what is on in each second. */
struct tally {
	int64_t seconds[2], vcpu_seconds[2], peak_guests, peak_vcpus, hour_vcpus[SPAN_S / 3600 + 1];
	bool touched[HOSTS];
};

static void look(const struct history *h, int64_t from_s, int source, struct tally *t)
{
	int64_t guests = 0, vcpus = 0;
	for (int n = 0; n < GUESTS; n++) {
		const struct guest *g = &h->guests[n];
		if (!g->vcpus || g->source != source)
			continue;
		guests++;
		vcpus += g->vcpus;
		t->seconds[g->vcpus > 4]++;
		t->vcpu_seconds[g->vcpus > 4] += g->vcpus;
		t->touched[g->host] = true;
	}
	size_t hour = (size_t) ((h->now_s - from_s) / 3600);
	t->peak_guests = guests > t->peak_guests ? guests : t->peak_guests;
	t->peak_vcpus = vcpus > t->peak_vcpus ? vcpus : t->peak_vcpus;
	t->hour_vcpus[hour] = vcpus > t->hour_vcpus[hour] ? vcpus : t->hour_vcpus[hour];
}

static void compare(const struct history *h, int source, const struct tally *t)
{
	const struct software_line *line = NULL;
	for (size_t k = 0; k < h->use.lines.count; k++)
		if ((int) h->use.lines.at[k]->source == source)
			line = h->use.lines.at[k];
	if (!line) {
		assert_int_equal(t->peak_guests, 0);
		return;
	}
	for (int k = 0; k < 2; k++) {
		assert_int_equal(line->bands[k].seconds, t->seconds[k]);
		assert_int_equal(line->bands[k].vcpu_seconds, t->vcpu_seconds[k]);
		assert_true(line->bands[k].begun_hours * 3600 >= line->bands[k].seconds);
	}
	assert_int_equal(line->peak.guests, t->peak_guests);
	assert_int_equal(line->peak.vcpus, t->peak_vcpus);
	for (size_t k = 0; k < SPAN_S / 3600; k++)
		assert_int_equal(line->hours[k].vcpus, t->hour_vcpus[k]);
	for (size_t k = 0; k < h->use.hosts.count; k++) {
		const struct software_host *host = &h->use.hosts.at[k];
		if ((int) host->source == source && t->touched[host->host.b[15] - 101])
			assert_true(host->peak > 0);
	}
}

/* The history begins an hour before the month, so that some uses continue into it. */
static void run_history(unsigned seed)
{
	struct history h = {.seed = seed};
	struct month m = november();
	struct tally tallies[2] = {0};
	int64_t begin_s = m.from_s - 3600, end_s = m.from_s + SPAN_S;
	assert_true(result_is_ok(software_use_begin(&c, m, end_s, &h.use)));
	int64_t next_s = begin_s;
	for (h.now_s = begin_s; h.now_s < end_s; h.now_s++) {
		while (h.now_s == next_s) {
			change(&h);
			next_s += (int64_t) draw(&h, 4 * 3600 / CHANGES * 2);
		}
		for (int source = 0; source < 2 && h.now_s >= m.from_s; source++)
			look(&h, m.from_s, source, &tallies[source]);
	}
	software_use_end(&h.use);
	for (int source = 0; source < 2; source++)
		compare(&h, source, &tallies[source]);
}

static void random_histories_agree_with_a_look_at_each_second(void **state)
{
	(void) state;
	for (unsigned seed = 1; seed <= ROUNDS; seed++)
		run_history(seed);
}

/* ---- single rules ---- */

static void begun_hours_count_by_run(void **state)
{
	struct history h = {0};
	struct month m = november();
	struct guest g = {.vcpus = 2, .host = 0, .source = LICENCE_INCLUDED}, moved = g;
	(void) state;
	moved.host = 1;
	assert_true(result_is_ok(software_use_begin(&c, m, m.until_s, &h.use)));
	h.now_s = m.from_s + 10;
	say(&h, 0, &g, 2);
	h.now_s += 1800;
	say(&h, 0, &g, 0);
	say(&h, 0, &moved, 2); /* a move is no new run */
	h.now_s += 1900;
	say(&h, 0, &moved, 0);
	h.now_s += 1;
	say(&h, 0, &moved, 2);
	h.now_s += 59;
	say(&h, 0, &moved, 0);
	software_use_end(&h.use);
	assert_int_equal(h.use.lines.count, 1);
	assert_int_equal(h.use.lines.at[0]->bands[0].begun_hours, 3);
	assert_int_equal(h.use.lines.at[0]->bands[0].guests, 1);
	assert_int_equal(h.use.hosts.count, 2);
}

static void other_months_are_left_out(void **state)
{
	struct history h = {0};
	struct month m = november();
	struct guest g = {.vcpus = 8, .host = 0, .source = LICENCE_BYOS};
	(void) state;
	assert_true(result_is_ok(software_use_begin(&c, m, m.until_s + 1000, &h.use)));
	h.now_s = m.from_s - 7200;
	say(&h, 0, &g, 8);
	h.now_s = m.from_s - 3600;
	say(&h, 0, &g, 0); /* over before it begins */
	h.now_s = m.until_s + 5;
	say(&h, 0, &g, 8); /* and again when it is over */
	software_use_end(&h.use);
	assert_int_equal(h.use.lines.at[0]->bands[1].seconds, 0);
	assert_int_equal(h.use.lines.at[0]->bands[1].begun_hours, 0);
	assert_int_equal(h.use.lines.at[0]->peak.guests, 0);
	for (size_t k = 0; k < h.use.hosts.count; k++)
		assert_int_equal(h.use.hosts.at[k].peak, 0);
}

static void cores_are_counted_as_microsoft_counts(void **state)
{
	(void) state;
	assert_int_equal(software_count_cores(0, 0), 0);
	assert_int_equal(software_count_cores(4, 1), 16);
	assert_int_equal(software_count_cores(12, 2), 16);
	assert_int_equal(software_count_cores(20, 4), 32);
	assert_int_equal(software_count_cores(64, 2), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_histories_agree_with_a_look_at_each_second, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(begun_hours_count_by_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_months_are_left_out, set_up, tear_down),
		cmocka_unit_test(cores_are_counted_as_microsoft_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
