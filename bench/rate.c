/* SPDX-License-Identifier: Apache-2.0
 * Time to rate a month: 10,000 instances with 100 changes each, from records in memory; then writes the same charges as
 * rows of FOCUS.
 *
 *     rate
 *
 * Prints rate_ms, rate_mib (peak memory of the process after rating), charges, and focus_rows a second. */
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "metering/focus.h"

enum { INSTANCES = 10000, CHANGES = 100 };

static const char prices[] =
	"price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z}\n"
	"items:\n"
	"- {sku: vm.t3.micro, meter: \"instance:t3.micro\", unit: hour, minimum_s: 60, price: 0.0104}\n";

struct sums {
	money cost;
	size_t count;
	struct buf *rows; /* NULL: only rate, write no rows */
	struct focus_context context;
};

static RESULT add(void *arg, const struct charge *charge)
{
	struct sums *s = arg;
	s->cost += charge_cost(charge);
	s->count++;
	if (!s->rows)
		return OK;
	const struct focus_row row = {
		.charge = charge,
		.resource = STR("i-0123456789abcdef0"),
		.charge_id = STR("i-0123456789abcdef0/instance:t3.micro/2026-10-05T00:00:00Z/1"),
		.account = STR("123456789012"),
		.account_name = STR("bench"),
		.billing_id = STR("64656661-756c-7400-8000-000000000000"),
		.billing_name = STR("Default")};
	focus_write_row(s->rows, &s->context, &row);
	if (s->rows->size > (16 << 20))
		s->rows->size = 0;
	return OK;
}

static RESULT feed(struct rating *r, struct ctx *c, struct month month)
{
	static const struct payer nobody;
	int64_t step_us = (month.until_s - month.from_s) * SECOND / CHANGES, seq = 0;
	const uuid account = {{1}};
	TRY(rating_begin(r, c, account, &nobody));
	for (uint32_t n = 0; n < INSTANCES; n++) {
		struct level_change change = {.kind = KIND_INSTANCE, .meter = STR("instance:t3.micro")};
		for (int k = 0; k < 4; k++)
			change.id.b[k] = (uint8_t) (n >> (24 - 8 * k));
		for (int k = 0; k < CHANGES; k++) {
			change.at_us = month.from_s * SECOND + k * step_us + n * 977;
			change.level = k % 2 == 0;
			change.seq = ++seq;
			TRY(rating_take(r, c, &change));
		}
	}
	return rating_end(r, c);
}

static RESULT rate(struct ctx *c, const struct price_book *book, struct month month, struct sums *sums)
{
	const struct rating_config config = {.book = book,
					     .month = month,
					     .now_us = (month.until_s + DAY_S) * SECOND,
					     .each = add,
					     .arg = sums};
	AUTO(rating) r = NULL;
	TRY(rating_new(c, &config, &r));
	return feed(r, c, month);
}

int main(void)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	struct price_list list;
	struct price_book book;
	struct month month;
	struct rusage usage;
	struct buf rows;
	ctx_init(&c, arena);
	buf_init(&rows, 32 << 20);
	if (!result_is_ok(price_list_read(&c, str_from(prices), &list)) ||
	    !result_is_ok(price_book_make(&c, &list, 1, &book)) ||
	    !result_is_ok(month_parse(&c, STR("2026-10"), &month)))
		return 1;
	struct sums rated = {.count = 0}, written = {.rows = &rows};
	written.context = (struct focus_context){FOCUS_1_4, month, STR("here"), STR("here"), STR("here")};
	int64_t start_ns = clock_thread_ns();
	if (!result_is_ok(rate(&c, &book, month, &rated)))
		return 1;
	int64_t rated_ns = clock_thread_ns() - start_ns;
	(void) getrusage(RUSAGE_SELF, &usage);
	start_ns = clock_thread_ns();
	if (!result_is_ok(rate(&c, &book, month, &written)) || written.cost != rated.cost)
		return 1;
	int64_t written_ns = clock_thread_ns() - start_ns - rated_ns;
	buf_done(&rows);
	printf("rate_ms=%.1f\nrate_mib=%.1f\ncharges=%zu\nfocus_rows=%.0f\n", (double) rated_ns / 1e6,
	       (double) usage.ru_maxrss / 1024, rated.count,
	       (double) written.count * 1e9 / (double) (written_ns > 0 ? written_ns : 1));
	return 0;
}
