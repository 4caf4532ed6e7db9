/* SPDX-License-Identifier: Apache-2.0
 * Arithmetic and packing of points. Pure functions. */
#include "base/clock.h"
#include "reconcile/figures/internal.h"

enum { PACK_FORM = 1, PERCENT_100 = 10000, PACKED_NUMBERS = FIGURE_COUNT + 5, NUMBER_BITS = 7 };

static void list_counts(const struct compute_usage *u, int64_t *at)
{
	at[FIGURE_CPU_NS] = u->cpu_ns;
	at[FIGURE_RX_BYTES] = u->rx_bytes;
	at[FIGURE_TX_BYTES] = u->tx_bytes;
	at[FIGURE_RX_PACKETS] = u->rx_packets;
	at[FIGURE_TX_PACKETS] = u->tx_packets;
	at[FIGURE_READ_BYTES] = u->read_bytes;
	at[FIGURE_WRITE_BYTES] = u->write_bytes;
	at[FIGURE_READS] = u->read_requests;
	at[FIGURE_WRITES] = u->write_requests;
	at[FIGURE_MEMORY] = u->memory;
}

int64_t figure_cpu_of(const struct figure_point *p)
{
	int64_t all_us = p->covered_us * (p->cpus > 0 ? p->cpus : 1);
	int64_t share = all_us > 0 ? p->at[FIGURE_CPU_NS] / 1000 * PERCENT_100 / all_us : 0;
	return share > PERCENT_100 ? PERCENT_100 : share; /* the clocks of host and process differ slightly */
}

struct figure_point figure_between(const struct compute_usage *before, int64_t before_us,
				   const struct compute_usage *after, int64_t after_us)
{
	struct figure_point p = {.from_us = before_us,
				 .to_us = after_us,
				 .covered_us = after_us - before_us,
				 .samples = 1,
				 .cpus = after->cpus};
	int64_t old[FIGURE_COUNT], now[FIGURE_COUNT];
	list_counts(before, old);
	list_counts(after, now);
	for (enum figure k = 0; k < FIGURE_COUNT; k++)
		p.at[k] = k == FIGURE_MEMORY || now[k] < old[k] ? now[k] : now[k] - old[k];
	p.least_cpu = p.most_cpu = figure_cpu_of(&p);
	return p;
}

void figure_add(struct figure_point *sum, const struct figure_point *next)
{
	if (!sum->samples) {
		*sum = *next;
		return;
	}
	sum->to_us = next->to_us;
	sum->covered_us += next->covered_us;
	sum->samples += next->samples;
	sum->cpus = next->cpus;
	sum->least_cpu = next->least_cpu < sum->least_cpu ? next->least_cpu : sum->least_cpu;
	sum->most_cpu = next->most_cpu > sum->most_cpu ? next->most_cpu : sum->most_cpu;
	for (enum figure k = 0; k < FIGURE_COUNT; k++)
		sum->at[k] = k == FIGURE_MEMORY ? next->at[k] : sum->at[k] + next->at[k];
}

/* ---- the text ---- */

static void pack_number(struct buf *text, int64_t number)
{
	uint64_t left = number > 0 ? (uint64_t) number : 0;
	for (; left >> NUMBER_BITS; left >>= NUMBER_BITS)
		buf_add_char(text, (char) (left | 0x80));
	buf_add_char(text, (char) left);
}

void figures_begin_pack(struct buf *text)
{
	buf_add_char(text, PACK_FORM);
}

void figures_pack(struct buf *text, uuid id, const struct figure_point *p)
{
	buf_add(text, id.b, sizeof id.b);
	pack_number(text, p->covered_us);
	pack_number(text, p->samples);
	pack_number(text, p->cpus);
	pack_number(text, p->least_cpu);
	pack_number(text, p->most_cpu);
	for (enum figure k = 0; k < FIGURE_COUNT; k++)
		pack_number(text, p->at[k]);
}

/* False: the text ends early, or the number does not fit. */
static bool read_number(struct str *text, int64_t *ret_number)
{
	uint64_t number = 0;
	for (unsigned shift = 0; shift < 63 && text->n; shift += NUMBER_BITS) {
		uint8_t byte = (uint8_t) text->p[0];
		*text = str_slice(*text, 1, text->n);
		number |= (uint64_t) (byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_number = (int64_t) number;
			return true;
		}
	}
	return false;
}

static bool read_point(struct str *text, uuid *ret_id, struct figure_point *ret_point)
{
	int64_t numbers[PACKED_NUMBERS];
	if (text->n < sizeof ret_id->b)
		return false;
	memcpy(ret_id->b, text->p, sizeof ret_id->b);
	*text = str_slice(*text, sizeof ret_id->b, text->n);
	for (size_t k = 0; k < PACKED_NUMBERS; k++)
		if (!read_number(text, &numbers[k]))
			return false;
	*ret_point = (struct figure_point){.covered_us = numbers[0],
					   .samples = numbers[1],
					   .cpus = numbers[2],
					   .least_cpu = numbers[3],
					   .most_cpu = numbers[4]};
	memcpy(ret_point->at, numbers + PACKED_NUMBERS - FIGURE_COUNT, sizeof ret_point->at);
	return true;
}

bool figures_unpack(struct str text, uuid id, struct figure_point *ret_point)
{
	uuid found = UUID_NONE;
	if (!text.n || text.p[0] != PACK_FORM)
		return false;
	text = str_slice(text, 1, text.n);
	while (text.n)
		if (!read_point(&text, &found, ret_point))
			return false;
		else if (uuid_equal(found, id))
			return true;
	return false;
}
