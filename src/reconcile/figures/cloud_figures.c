/* SPDX-License-Identifier: Apache-2.0
 * Packs figures of machines elsewhere. */
#include "reconcile/figures/cloud_figures.h"

#include "base/heap.h"
#include "drivers/remote.h"
#include "reconcile/figures/internal.h"
#include "store/series.h"

enum { SPREAD = 16, TEXTS = REMOTE_METRIC_POINTS + 1, TEXT_CAP = 8 << 20, PERCENT_100 = 10000 };
_Static_assert(REMOTE_METRIC_POINTS *REMOTE_METRIC_STEP_US == FIGURES_LONG_US,
	       "the points of a request are those of an hour");

struct cloud_figures {
	int64_t hour_us;
	struct {
		struct buf texts[TEXTS]; /* the intervals, then the hour */
		bool is_used[TEXTS];
	} parts[SPREAD];
};

static size_t part_of(uuid machine)
{
	return machine.b[sizeof machine.b - 1] % SPREAD;
}

uuid cloud_figures_key(uuid provider, uuid machine)
{
	provider.b[0] ^= (uint8_t) (1 + part_of(machine));
	return provider;
}

struct cloud_figures *cloud_figures_new(int64_t hour_us)
{
	struct cloud_figures *f = heap_new(struct cloud_figures);
	if (!f)
		return NULL;
	f->hour_us = hour_us;
	for (size_t k = 0; k < SPREAD; k++)
		for (size_t n = 0; n < TEXTS; n++)
			buf_init(&f->parts[k].texts[n], TEXT_CAP);
	return f;
}

void cloud_figures_free(struct cloud_figures *f)
{
	for (size_t k = 0; f && k < SPREAD; k++)
		for (size_t n = 0; n < TEXTS; n++)
			buf_done(&f->parts[k].texts[n]);
	heap_free(f);
}

static void pack(struct cloud_figures *f, size_t part, size_t place, uuid machine,
		 const struct figure_point *p)
{
	struct buf *text = &f->parts[part].texts[place];
	if (!f->parts[part].is_used[place])
		figures_begin_pack(text);
	f->parts[part].is_used[place] = true;
	figures_pack(text, machine, p);
}

static struct figure_point point_of(const struct remote_metric_point *m, int64_t from_us, int64_t vcpus)
{
	double percent = m->cpu_percent < 100 ? m->cpu_percent : 100;
	int64_t cpus = vcpus > 0 ? vcpus : 1, cpu = (int64_t) (percent * PERCENT_100 / 100);
	struct figure_point p = {.from_us = from_us,
				 .to_us = from_us + FIGURES_SHORT_US,
				 .covered_us = FIGURES_SHORT_US,
				 .samples = 1,
				 .cpus = cpus,
				 .least_cpu = cpu,
				 .most_cpu = cpu};
	p.at[FIGURE_CPU_NS] = cpu * cpus * (FIGURES_SHORT_US / PERCENT_100) * 1000;
	p.at[FIGURE_RX_BYTES] = (int64_t) m->received;
	p.at[FIGURE_TX_BYTES] = (int64_t) m->sent;
	p.at[FIGURE_READ_BYTES] = (int64_t) m->read;
	p.at[FIGURE_WRITE_BYTES] = (int64_t) m->written;
	p.at[FIGURE_MEMORY] = (int64_t) m->memory;
	return p;
}

void cloud_figures_add(struct cloud_figures *f, uuid machine, int64_t vcpus,
		       const struct remote_metric_point *points)
{
	struct figure_point hour = {0};
	int64_t most_memory = 0; /* advice wants the maximum, not the end of the hour */
	for (size_t n = 0; n < REMOTE_METRIC_POINTS; n++) {
		if (!points[n].is_there)
			continue;
		const struct figure_point p =
			point_of(&points[n], f->hour_us + (int64_t) n * FIGURES_SHORT_US, vcpus);
		pack(f, part_of(machine), n, machine, &p);
		figure_add(&hour, &p);
		most_memory = p.at[FIGURE_MEMORY] > most_memory ? p.at[FIGURE_MEMORY] : most_memory;
	}
	hour.at[FIGURE_MEMORY] = most_memory;
	if (hour.samples)
		pack(f, part_of(machine), REMOTE_METRIC_POINTS, machine, &hour);
}

void cloud_figures_keep(struct reconciler *r, uuid provider, struct cloud_figures *f)
{
	for (size_t k = 0; k < SPREAD; k++)
		for (size_t n = 0; n < TEXTS; n++) {
			bool is_hour = n == REMOTE_METRIC_POINTS;
			uuid part = {.b = {0}};
			part.b[sizeof part.b - 1] = (uint8_t) k;
			const struct series series = {
				.host = cloud_figures_key(provider, part),
				.step_us = is_hour ? FIGURES_LONG_US : FIGURES_SHORT_US,
				.from_us = f->hour_us + (is_hour ? 0 : (int64_t) n * FIGURES_SHORT_US),
				.keep_us =
					is_hour ? CLOUD_FIGURES_LONG_KEPT_US : CLOUD_FIGURES_SHORT_KEPT_US};
			if (!f->parts[k].is_used[n])
				continue;
			figures_keep(r, &series, &f->parts[k].texts[n]);
			buf_init(&f->parts[k].texts[n], TEXT_CAP);
		}
}
