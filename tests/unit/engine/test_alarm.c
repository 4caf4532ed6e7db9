/* SPDX-License-Identifier: Apache-2.0
 * Evaluates alarms on sequences of datapoints, rules of composite alarms, and metric math. */
#include <math.h>

#include "cloud.h"
#include "engine/alarm/alarm.h"
#include "engine/alarm/metric_math.h"

/* ---- datapoints ---- */

/* X breaches, 0 does not, - is missing; the newest is the last. Expected for missing, not breaching, breaching, ignore: A, O, I, or
 * "=" for no change from INSUFFICIENT_DATA. */
struct sequence {
	const char *points;
	int64_t periods, needed;
	const char *states;
};
static const struct sequence sequences[] = {
	/* The tables of CloudWatch's guide, of three periods. */
	{"0-X-X", 3, 3, "OOOO"},
	{"0----", 3, 3, "OOOO"},
	{"-----", 3, 3, "=OA="},
	{"0XX-X", 3, 3, "AAAA"},
	{"--X--", 3, 3, "AOA="},
	{"0-X--", 3, 3, "OOOO"},
	{"00X0X", 3, 2, "AAAA"},
	{"00X0-", 3, 2, "OOOO"},
	{"0-X--", 3, 2, "OOAO"},
	{"----0", 3, 2, "OOAO"},
	{"---X-", 3, 2, "AOA="},
	/* One period. */
	{"X", 1, 1, "AAAA"},
	{"0", 1, 1, "OOOO"},
	{"X-----", 1, 1, "AAAA"},
	{"X------", 1, 1, "=OA="},
	/* The newest periods count alone when none is missing. */
	{"XXX000", 3, 1, "OOOO"},
	{"00000X", 3, 1, "AAAA"},
};
static const enum alarm_missing treatments[] = {ALARM_MISSING_MISSING, ALARM_MISSING_NOT_BREACHING,
						ALARM_MISSING_BREACHING, ALARM_MISSING_IGNORE};

static char decide(struct arena *a, const struct sequence *s, enum alarm_missing missing)
{
	struct alarm_point points[16] = {0};
	struct alarm_verdict verdict;
	size_t count = strlen(s->points);
	const struct alarm alarm = {.threshold = STR("10"),
				    .comparison = ALARM_COMPARISON_GREATER,
				    .evaluation_periods = s->periods,
				    .datapoints = s->needed,
				    .period_s = 60,
				    .missing = missing};
	for (size_t k = 0; k < count; k++)
		points[k] = (struct alarm_point){(int64_t) k * MINUTE, s->points[k] != '-',
						 s->points[k] == 'X' ? 20 : 5};
	assert_true(result_is_ok(alarm_weigh(a, &alarm, points, count, 0, &verdict)));
	return verdict.stays                        ? '='
	       : verdict.state == ALARM_STATE_ALARM ? 'A'
	       : verdict.state == ALARM_STATE_OK    ? 'O'
						    : 'I';
}

static void test_sequences(void **state)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	(void) state;
	for (size_t k = 0; k < sizeof sequences / sizeof *sequences; k++) {
		char got[5] = {0};
		for (size_t n = 0; n < 4; n++)
			got[n] = decide(a, &sequences[k], treatments[n]);
		if (strcmp(got, sequences[k].states) != 0)
			fail_msg("%s, %d of %d: %s instead of %s", sequences[k].points,
				 (int) sequences[k].needed, (int) sequences[k].periods, got,
				 sequences[k].states);
	}
}

/* Aodh: points as above, and the state before. Source: aodh.tests.unit.evaluator.test_gnocchi. */
static void test_aodh(void **state)
{
	static const struct {
		const char *points;
		int64_t periods;
		enum alarm_state before;
		char expected;
		const char *reason;
	} rows[] = {
		{"XX", 2, ALARM_STATE_OK, 'A',
		 "Transition to alarm due to 2 samples outside threshold, most recent: 20.0"},
		{"00", 2, ALARM_STATE_ALARM, 'O',
		 "Transition to ok due to 2 samples inside threshold, most recent: 5.0"},
		{"X0", 2, ALARM_STATE_ALARM, '=', NULL},
		{"0X", 2, ALARM_STATE_OK, '=', NULL},
		{"0X", 2, ALARM_STATE_INSUFFICIENT_DATA, 'A',
		 "Transition to alarm due to 1 samples outside threshold, most recent: 20.0"},
		{"X0", 2, ALARM_STATE_INSUFFICIENT_DATA, 'O',
		 "Transition to ok due to 1 samples inside threshold, most recent: 5.0"},
		{"X-", 2, ALARM_STATE_OK, 'I', "2 datapoints are unknown"},
		{"--", 2, ALARM_STATE_OK, 'I', "No datapoint for granularity 60"},
		{"--", 2, ALARM_STATE_INSUFFICIENT_DATA, '=', NULL},
		{"XX-", 2, ALARM_STATE_OK, 'A',
		 "Transition to alarm due to 2 samples outside threshold, most recent: 20.0"},
		{"XX--", 2, ALARM_STATE_OK, 'I', "2 datapoints are unknown"},
		{"XX", 2, ALARM_STATE_ALARM, '=', NULL},
	};
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		const struct alarm alarm = {.dialect = ALARM_DIALECT_AODH,
					    .state = rows[k].before,
					    .threshold = STR("10"),
					    .comparison = ALARM_COMPARISON_GREATER,
					    .evaluation_periods = rows[k].periods,
					    .period_s = 60};
		struct alarm_point points[8] = {0};
		struct alarm_verdict verdict;
		size_t count = strlen(rows[k].points);
		for (size_t n = 0; n < count; n++)
			points[n] = (struct alarm_point){(int64_t) n * MINUTE, rows[k].points[n] != '-',
							 rows[k].points[n] == 'X' ? 20 : 5};
		assert_true(result_is_ok(alarm_weigh(a, &alarm, points, count, 0, &verdict)));
		char got = verdict.stays                        ? '='
			   : verdict.state == ALARM_STATE_ALARM ? 'A'
			   : verdict.state == ALARM_STATE_OK    ? 'O'
								: 'I';
		if (got != rows[k].expected)
			fail_msg("%s: %c instead of %c", rows[k].points, got, rows[k].expected);
		if (rows[k].reason)
			assert_true(str_is(verdict.reason, rows[k].reason));
	}
}

static void test_comparisons(void **state)
{
	static const struct {
		enum alarm_comparison comparison;
		bool below, at, above;
	} rows[] = {{ALARM_COMPARISON_GREATER, false, false, true},
		    {ALARM_COMPARISON_GREATER_OR_EQUAL, false, true, true},
		    {ALARM_COMPARISON_LESS, true, false, false},
		    {ALARM_COMPARISON_LESS_OR_EQUAL, true, true, false},
		    {ALARM_COMPARISON_EQUAL, false, true, false},
		    {ALARM_COMPARISON_NOT_EQUAL, true, false, true}};
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		const struct alarm alarm = {.threshold = STR("-1.5"), .comparison = rows[k].comparison};
		assert_int_equal(alarm_breaches(&alarm, -2), rows[k].below);
		assert_int_equal(alarm_breaches(&alarm, -1.5), rows[k].at);
		assert_int_equal(alarm_breaches(&alarm, 0), rows[k].above);
	}
}

static void test_reason(void **state)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct alarm_verdict verdict;
	const struct alarm alarm = {.threshold = STR("80"),
				    .comparison = ALARM_COMPARISON_GREATER_OR_EQUAL,
				    .evaluation_periods = 2,
				    .period_s = 60,
				    .statistic = STR("Average")};
	const struct alarm_point points[] = {{0, true, 81.5}, {MINUTE, true, 99}};
	(void) state;
	assert_true(result_is_ok(alarm_weigh(a, &alarm, points, 2, 90 * SECOND, &verdict)));
	assert_true(str_is(
		verdict.reason,
		"Threshold Crossed: 2 out of the last 2 datapoints [99.0 (01/01/70 00:01:00), 81.5 (01/01/70 "
		"00:00:00)] were greater than or equal to the threshold (80.0) (minimum 2 datapoints for OK "
		"-> "
		"ALARM transition)."));
	assert_true(str_contains(verdict.data, STR("\"recentDatapoints\":[81.5,99")));
	assert_true(
		str_contains(verdict.data, STR("\"queryDate\":\"1970-01-01T00:01:30.000+0000\",\"startDate\":"
					       "\"1970-01-01T00:00:00.000+0000\"")));
}

/* ---- rules ---- */

/* Alarms "A…" are in ALARM, "O…" OK, "I…" without data; no other exists. */
static bool find_state(void *arg, struct str name, enum alarm_state *ret_state)
{
	(void) arg;
	*ret_state = name.p[0] == 'A'   ? ALARM_STATE_ALARM
		     : name.p[0] == 'O' ? ALARM_STATE_OK
					: ALARM_STATE_INSUFFICIENT_DATA;
	return strchr("AOI", name.p[0]) != NULL;
}

static void test_rules(void **state)
{
	static const struct {
		const char *rule;
		int holds; /* -1: no rule */
	} rows[] = {
		{"TRUE", 1},
		{"FALSE", 0},
		{"NOT FALSE", 1},
		{"ALARM(A1)", 1},
		{"ALARM(\"A 1\")", 1},
		{"OK('O')", 1},
		{"INSUFFICIENT_DATA(I)", 1},
		{"OK(A)", 0},
		{"ALARM(arn:aws:cloudwatch:r:1:alarm:A)", 1},
		{"TRUE OR FALSE AND FALSE", 1},
		{"(TRUE OR FALSE) AND FALSE", 0},
		{"NOT ALARM(O) AND OK(O)", 1},
		{" \n( ( TRUE ) )\t", 1},
		{"", -1},
		{"TRUE TRUE", -1},
		{"ALARM", -1},
		{"ALARM()", -1},
		{"ALARM(A", -1},
		{"ALARM(X)", -1},
		{"TRUE OR", -1},
		{"(TRUE", -1},
		{"TRUE)", -1},
		{"true", -1},
		{"ALARM(\"A)", -1},
		{"FALSE AND ALARM(X)", -1},
		{"((((((((((((((((((((((TRUE))))))))))))))))))))))", -1},
		{"NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT TRUE",
		 -1},
	};
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	(void) state;
	ctx_init(&c, a);
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		bool holds = false;
		struct result result = alarm_rule_read(&c, str_from(rows[k].rule),
						       &(struct alarm_rule_names){find_state, NULL}, &holds);
		int got = result_is_ok(result) ? holds : -1;
		if (got != rows[k].holds)
			fail_msg("%s: %d", rows[k].rule, got);
		if (got < 0)
			assert_int_equal(result.code, ERR_INVALID);
	}
}

/* ---- metric math ---- */

static void test_math(void **state)
{
	static const struct {
		const char *expression;
		double last; /* NAN: missing; INFINITY: no expression */
	} rows[] = {
		{"m1", 4},
		{"m1 + m2", 34},
		{"m2 - m1 * 2", 22},
		{"(m2 - m1) * 2", 52},
		{"m2 / m1", 7.5},
		{"2 ^ m1", 16},
		{"-m1", -4},
		{"m1 / 0", NAN},
		{"gaps", NAN},
		{"gaps + 1", NAN},
		{"FILL(gaps, 7)", 7},
		{"FILL(gaps, REPEAT)", 5},
		{"FILL(gaps, m1)", 4},
		{"SUM([m1, m2])", 34},
		{"AVG([m1, m2, gaps])", 17},
		{"MAX([m1, gaps])", 4},
		{"MIN([m2, m1])", 4},
		{"SUM(METRICS())", 34},
		{"AVG(m1)", 2.5},
		{"SUM(m1)", 10},
		{"MAX(m1) - MIN(m1)", 3},
		{"DATAPOINT_COUNT(gaps)", 2},
		{"IF(m1 > 3, 1, 0)", 1},
		{"IF(m1 > 3 AND m2 > 50, 1)", NAN},
		{"m1 >= 4", 1},
		{"m1 != 4", 0},
		{"m1 > 9 OR m2 == 30", 1},
		{"DIFF(m2)", 10},
		{"RATE(m2)", 10.0 / 60},
		{"PERIOD(m1)", 60},
		{"ABS(0 - m1)", 4},
		{"CEIL(m1 / 3)", 2},
		{"FLOOR(m1 / 3)", 1},
		{"SUM([m2 ^ 208.6, m2 ^ 208.6])", NAN}, /* too large for a number */
		{"m1 + m1 - (m1 + ABS(m1 * 2)) + m1", 0},
		{"1e2 + .5", 100.5},
		{"", INFINITY},
		{"m3", INFINITY},
		{"m1 m2", INFINITY},
		{"m1 +", INFINITY},
		{"SUM(m1", INFINITY},
		{"SUM()", INFINITY},
		{"SUM(m1, m2)", INFINITY},
		{"SEARCH('x', 'y')", INFINITY},
		{"[m1, m2]", INFINITY},
		{"METRICS()", INFINITY},
		{"[[m1]]", INFINITY},
		{"[m1, m2] + 1", INFINITY},
		{"((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))",
		 INFINITY},
	};
	static const double m1[] = {1, 2, 3, 4}, m2[] = {0, 10, 20, 30}, gaps[] = {NAN, 5, 5, NAN};
	static const struct math_series series[] = {
		{{"m1", 2}, m1, true}, {{"m2", 2}, m2, true}, {{"gaps", 4}, gaps, true}};
	const struct math_scope scope = {4, 60, series, 3};
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	(void) state;
	ctx_init(&c, a);
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		double got[4] = {0};
		struct result result = metric_math(&c, str_from(rows[k].expression), &scope, got);
		double last = result_is_ok(result) ? got[3] : INFINITY;
		bool is_same = isnan(rows[k].last)   ? isnan(last)
			       : isinf(rows[k].last) ? isinf(last)
						     : fabs(last - rows[k].last) < 1e-9;
		if (!is_same)
			fail_msg("%s: %g instead of %g", rows[k].expression, last, rows[k].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),   cmocka_unit_test(test_aodh),
		cmocka_unit_test(test_comparisons), cmocka_unit_test(test_reason),
		cmocka_unit_test(test_rules),       cmocka_unit_test(test_math),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
