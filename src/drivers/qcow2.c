/* SPDX-License-Identifier: Apache-2.0
 * A written file consists of: the header; the L1 table; the refcount table and its blocks; the L2 tables of
 * the parts of the disk that have content; and the data, in disk order. Each section begins at a cluster
 * boundary.
 *
 * A file being read may come from anybody: every number in it is compared with a limit before use. */
#include "drivers/qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/file.h"
#include "base/heap.h"

enum {
	CLUSTER_BITS = 16,
	ENTRIES = QCOW2_CLUSTER_SIZE / 8, /* entries of an L2 table, or of the refcount table */
	COUNTS = QCOW2_CLUSTER_SIZE / 2,  /* refcounts per cluster */
	HEAD_SIZE = 104,                  /* of version 3 */
	HEAD_SIZE_2 = 72,
	BITS_MIN = 9,
	BITS_MAX = 21,
	TABLE_MAX = 1 << 22 /* entries of an L1 table */
};

static const uint64_t COPIED = UINT64_C(1) << 63, COMPRESSED = UINT64_C(1) << 62, ALL_ZERO = 1,
		      OFFSET = UINT64_C(0x00fffffffffffe00);

static void put(uint8_t *p, uint64_t number, size_t size)
{
	for (size_t k = size; k-- > 0; number >>= 8)
		p[k] = (uint8_t) number;
}

static uint64_t get(const uint8_t *p, size_t size)
{
	uint64_t number = 0;
	for (size_t k = 0; k < size; k++)
		number = number << 8 | p[k];
	return number;
}

static int64_t divide_up(int64_t a, int64_t b)
{
	return (a + b - 1) / b;
}

/* ---- writing */

struct planned_run {
	struct qcow2_run of;
	int64_t before; /* data clusters of earlier runs */
};

struct qcow2_plan {
	int64_t size;
	struct planned_run *runs; /* owned */
	size_t run_count;
	int64_t parts;     /* number of L1 entries for the disk */
	int32_t *table_of; /* owned: index of a part's L2 table; -1: none */
	int32_t *part_of;  /* owned: the reverse */
	/* Cluster numbers in the file where the sections begin. */
	int64_t counts_table, counts, tables, data, end;
};

static RESULT check_runs(struct ctx *c, int64_t size, const struct qcow2_run *runs, size_t count)
{
	int64_t next = 0, clusters = divide_up(size, QCOW2_CLUSTER_SIZE);
	if (size <= 0 || size > QCOW2_SIZE_MAX)
		return ctx_fail(c, ERR_INVALID, "a disk of %" PRId64 " bytes", size);
	for (size_t k = 0; k < count; k++) {
		if (runs[k].from < next || runs[k].count < 1 || runs[k].count > clusters - runs[k].from)
			return ctx_fail(c, ERR_INVALID, "what a disk has is told in disorder");
		next = runs[k].from + runs[k].count;
	}
	return OK;
}

static int64_t number_tables(struct qcow2_plan *p)
{
	int32_t tables = 0;
	for (int64_t k = 0; k < p->parts; k++)
		p->table_of[k] = -1;
	for (size_t k = 0; k < p->run_count; k++) {
		const struct qcow2_run *run = &p->runs[k].of;
		for (int64_t part = run->from / ENTRIES; part <= (run->from + run->count - 1) / ENTRIES;
		     part++)
			if (p->table_of[part] < 0) {
				p->part_of[tables] = (int32_t) part;
				p->table_of[part] = tables++;
			}
	}
	return tables;
}

/* Calculates the layout; refcount blocks also count themselves, hence the loop. */
static void lay_out(struct qcow2_plan *p, int64_t tables, int64_t data)
{
	int64_t counts = 1;
	p->counts_table = 1 + divide_up(p->parts, ENTRIES);
	for (int64_t last = 0; counts != last;) {
		last = counts;
		p->counts = p->counts_table + divide_up(counts, ENTRIES);
		p->tables = p->counts + counts;
		p->data = p->tables + tables;
		p->end = p->data + data;
		counts = divide_up(p->end, COUNTS);
	}
}

RESULT qcow2_plan_new(struct ctx *c, int64_t size, const struct qcow2_run *runs, size_t count,
		      struct qcow2_plan **ret_plan)
{
	int64_t data = 0;
	TRY(check_runs(c, size, runs, count));
	AUTO(qcow2_plan) p = heap_new(struct qcow2_plan);
	if (!p)
		return ctx_no_memory(c);
	p->size = size;
	p->parts = divide_up(divide_up(size, QCOW2_CLUSTER_SIZE), ENTRIES);
	p->runs = heap_alloc_array(count + 1, sizeof *p->runs);
	p->table_of = heap_alloc_array((size_t) p->parts, sizeof *p->table_of);
	p->part_of = heap_alloc_array((size_t) p->parts, sizeof *p->part_of);
	if (!p->runs || !p->table_of || !p->part_of)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++) {
		p->runs[p->run_count++] = (struct planned_run){runs[k], data};
		data += runs[k].is_zero ? 0 : runs[k].count;
	}
	lay_out(p, number_tables(p), data);
	*ret_plan = TAKE(p);
	return OK;
}

void qcow2_plan_free(struct qcow2_plan *p)
{
	if (!p)
		return;
	heap_free(p->runs);
	heap_free(p->table_of);
	heap_free(p->part_of);
	heap_free(p);
}

int64_t qcow2_plan_file_size(const struct qcow2_plan *p)
{
	return p->end * QCOW2_CLUSTER_SIZE;
}

static void write_head(const struct qcow2_plan *p, uint8_t *own)
{
	memcpy(own, "QFI\xfb", 4);
	put(own + 4, 3, 4);
	put(own + 20, CLUSTER_BITS, 4);
	put(own + 24, (uint64_t) p->size, 8);
	put(own + 36, (uint64_t) p->parts, 4);
	put(own + 40, QCOW2_CLUSTER_SIZE, 8);
	put(own + 48, (uint64_t) p->counts_table * QCOW2_CLUSTER_SIZE, 8);
	put(own + 56, (uint64_t) (p->counts - p->counts_table), 4);
	put(own + 96, 4, 4); /* refcounts of 2^4 bits */
	put(own + 100, HEAD_SIZE, 4);
}

static void write_first_table(const struct qcow2_plan *p, int64_t from, uint8_t *own)
{
	for (int64_t k = 0; k < ENTRIES && from + k < p->parts; k++)
		if (p->table_of[from + k] >= 0)
			put(own + 8 * k,
			    COPIED | (uint64_t) (p->tables + p->table_of[from + k]) * QCOW2_CLUSTER_SIZE, 8);
}

/* Binary search for the last run that starts at or before the cluster of the disk, or of data (by_data). */
static size_t find_run(const struct qcow2_plan *p, int64_t cluster, bool by_data)
{
	size_t low = 0, high = p->run_count;
	while (low + 1 < high) {
		size_t middle = (low + high) / 2;
		const struct planned_run *run = &p->runs[middle];
		if ((by_data ? run->before : run->of.from) <= cluster)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void write_second_table(const struct qcow2_plan *p, int64_t part, uint8_t *own)
{
	int64_t from = part * ENTRIES, to = from + ENTRIES;
	for (size_t k = find_run(p, from, false); k < p->run_count && p->runs[k].of.from < to; k++) {
		const struct planned_run *run = &p->runs[k];
		int64_t first = run->of.from > from ? run->of.from : from;
		int64_t end = run->of.from + run->of.count;
		for (int64_t at = first; at < end && at < to; at++)
			put(own + 8 * (at - from),
			    run->of.is_zero
				    ? ALL_ZERO
				    : COPIED | (uint64_t) (p->data + run->before + at - run->of.from) *
						       QCOW2_CLUSTER_SIZE,
			    8);
	}
}

static void write_counts(const struct qcow2_plan *p, int64_t from, uint8_t *own)
{
	for (int64_t k = 0; k < COUNTS && from + k < p->end; k++)
		put(own + 2 * k, 1, 2);
}

static void write_counts_table(const struct qcow2_plan *p, int64_t from, uint8_t *own)
{
	for (int64_t k = 0; k < ENTRIES && from + k < p->tables - p->counts; k++)
		put(own + 8 * k, (uint64_t) (p->counts + from + k) * QCOW2_CLUSTER_SIZE, 8);
}

/* Zero runs have no data: of several runs starting at the same data cluster, the last one contains it. */
static struct qcow2_place find_data(const struct qcow2_plan *p, int64_t number)
{
	const struct planned_run *run = &p->runs[find_run(p, number, true)];
	int64_t at = (run->of.from + number - run->before) * QCOW2_CLUSTER_SIZE;
	int64_t end = (run->of.from + run->of.count) * QCOW2_CLUSTER_SIZE;
	return (struct qcow2_place){.is_data = true, .at = at, .size = (end < p->size ? end : p->size) - at};
}

struct qcow2_place qcow2_plan_at(const struct qcow2_plan *p, int64_t offset,
				 uint8_t own[static QCOW2_CLUSTER_SIZE])
{
	int64_t cluster = offset / QCOW2_CLUSTER_SIZE;
	if (cluster >= p->data)
		return find_data(p, cluster - p->data);
	memset(own, 0, QCOW2_CLUSTER_SIZE);
	if (cluster >= p->tables)
		write_second_table(p, p->part_of[cluster - p->tables], own);
	else if (cluster >= p->counts)
		write_counts(p, (cluster - p->counts) * COUNTS, own);
	else if (cluster >= p->counts_table)
		write_counts_table(p, (cluster - p->counts_table) * ENTRIES, own);
	else if (cluster > 0)
		write_first_table(p, (cluster - 1) * ENTRIES, own);
	else
		write_head(p, own);
	return (struct qcow2_place){.is_data = false};
}

/* ---- reading */

struct qcow2_file {
	int fd;
	int64_t size, cluster_size;
	uint8_t *first;      /* owned: the L1 table */
	uint8_t *second;     /* owned: the L2 table read last */
	int64_t second_part; /* which one that is; -1: none */
	int64_t parts;
};

RESULT qcow2_read(struct qcow2_file *f, struct ctx *c, int64_t file_at, void *bytes, size_t size)
{
	uint8_t *p = bytes;
	while (size) {
		ssize_t n = pread(f->fd, p, size, file_at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ctx_fail(c, ERR_IO, "an image's file cannot be read to its end");
		p += n;
		file_at += n;
		size -= (size_t) n;
	}
	return OK;
}

static struct result fail_form(struct ctx *c, const char *what)
{
	return ctx_fail(c, ERR_INVALID, "an image's file is %s", what);
}

/* Accepts a dirty file, whose refcounts may be wrong: they aren't used here. */
static RESULT check_form(struct ctx *c, const uint8_t *head)
{
	const uint64_t is_dirty = 1;
	if (get(head + 8, 8) || get(head + 16, 4))
		return fail_form(c, "one that stands on another file");
	if (get(head + 32, 4))
		return fail_form(c, "encrypted");
	return get(head + 72, 8) & ~is_dirty ? fail_form(c, "damaged, or of a form that is not read here")
					     : OK;
}

static RESULT read_head(struct qcow2_file *f, struct ctx *c, uint64_t *ret_first_at)
{
	uint8_t head[HEAD_SIZE] = {0};
	TRY(qcow2_read(f, c, 0, head, HEAD_SIZE_2));
	uint64_t version = get(head + 4, 4), bits = get(head + 20, 4), size = get(head + 24, 8);
	if (memcmp(head, "QFI\xfb", 4) != 0 || version < 2 || version > 3)
		return fail_form(c, "no qcow2");
	if (version == 3)
		TRY(qcow2_read(f, c, HEAD_SIZE_2, head + HEAD_SIZE_2, HEAD_SIZE - HEAD_SIZE_2));
	TRY(check_form(c, head));
	if (bits < BITS_MIN || bits > BITS_MAX || !size || size > (uint64_t) QCOW2_SIZE_MAX)
		return fail_form(c, "damaged in its head");
	f->size = (int64_t) size;
	f->cluster_size = INT64_C(1) << bits;
	f->parts = divide_up(f->size, f->cluster_size * (f->cluster_size / 8));
	*ret_first_at = get(head + 40, 8);
	return (int64_t) get(head + 36, 4) < f->parts || f->parts > TABLE_MAX || *ret_first_at > INT64_MAX / 2
		       ? fail_form(c, "damaged in its head")
		       : OK;
}

RESULT qcow2_open(struct ctx *c, const char *path, struct qcow2_file **ret_file)
{
	uint64_t first_at = 0;
	struct qcow2_file *f = heap_new(struct qcow2_file);
	if (!f)
		return ctx_no_memory(c);
	f->second_part = -1;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	struct result r = f->fd < 0 ? ctx_fail(c, ERR_IO, "the file %s: %s", path, strerrordesc_np(errno))
				    : read_head(f, c, &first_at);
	if (result_is_ok(r)) {
		f->first = heap_alloc_array((size_t) f->parts, 8);
		f->second = heap_alloc((size_t) f->cluster_size);
		r = f->first && f->second
			    ? qcow2_read(f, c, (int64_t) first_at, f->first, (size_t) f->parts * 8)
			    : ctx_no_memory(c);
	}
	if (!result_is_ok(r)) {
		qcow2_close(f);
		return r;
	}
	*ret_file = f;
	return OK;
}

void qcow2_close(struct qcow2_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		(void) close(f->fd);
	heap_free(f->first);
	heap_free(f->second);
	heap_free(f);
}

int64_t qcow2_size(const struct qcow2_file *f)
{
	return f->size;
}

static RESULT need_second(struct qcow2_file *f, struct ctx *c, int64_t part, uint64_t at)
{
	if (f->second_part == part)
		return OK;
	f->second_part = -1;
	TRY(qcow2_read(f, c, (int64_t) at, f->second, (size_t) f->cluster_size));
	f->second_part = part;
	return OK;
}

/* ret_at -1: zeros. */
static RESULT find_cluster(struct qcow2_file *f, struct ctx *c, int64_t entry, int64_t *ret_at)
{
	uint64_t word = get(f->second + 8 * entry, 8), at = word & OFFSET;
	if (word & COMPRESSED)
		return fail_form(c, "compressed");
	if (at & (uint64_t) (f->cluster_size - 1))
		return fail_form(c, "damaged in a table");
	*ret_at = word & ALL_ZERO || !at ? -1 : (int64_t) at;
	return OK;
}

RESULT qcow2_find(struct qcow2_file *f, struct ctx *c, int64_t at, struct qcow2_extent *ret_extent)
{
	int64_t entries = f->cluster_size / 8, part_size = f->cluster_size * entries;
	int64_t part = at / part_size, inside = at % f->cluster_size,
		entry = at % part_size / f->cluster_size;
	int64_t left = f->size - at, first = 0, next = 0;
	if (at < 0 || left <= 0)
		return fail_form(c, "shorter than what is looked for in it");
	uint64_t table = get(f->first + 8 * part, 8) & OFFSET;
	*ret_extent = (struct qcow2_extent){.size = part_size - at % part_size, .file_at = -1};
	if (table) {
		TRY(need_second(f, c, part, table));
		TRY(find_cluster(f, c, entry, &first));
		int64_t count = 1;
		for (; entry + count < entries; count++) {
			TRY(find_cluster(f, c, entry + count, &next));
			if (first < 0 ? next >= 0 : next != first + count * f->cluster_size)
				break;
		}
		ret_extent->size = count * f->cluster_size - inside;
		ret_extent->file_at = first < 0 ? -1 : first + inside;
	}
	if (ret_extent->size > left)
		ret_extent->size = left;
	return OK;
}
