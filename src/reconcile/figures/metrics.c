/* SPDX-License-Identifier: Apache-2.0
 * Datapoints that accounts publish, in buckets of five minutes. */
#include "reconcile/figures/metrics.h"

#include "base/heap.h"
#include "reconcile/figures/internal.h"
#include "reconcile/work.h"
#include "store/series.h"

#define BUCKET_US FIGURES_SHORT_US
#define FLUSH_US MINUTE
#define HELD_US (HOUR + 2 * BUCKET_US) /* a bucket that is written stays in memory for so long */

/* 64 MiB of datapoints at most; an account may hold an eighth, besides what its limit of metrics allows. */
enum { HEADS = 1024, MINUTES = 5, ENTRIES_MAX = 350000, ACCOUNT_ENTRIES_MAX = ENTRIES_MAX / 8 };
enum { VALUES = 4, ENTRY_BYTES = 16 + 1 + MINUTES * VALUES * (int) sizeof(double) };
/* 32 MiB of different values at most, beside the datapoints; an account may hold an eighth. */
enum { SAMPLES_MAX = 1 << 21, ACCOUNT_SAMPLES_MAX = SAMPLES_MAX / 8 };
/* A text without and with lists of values; the head of such a list. */
enum { FORMAT_PLAIN = 'm', FORMAT = 'n', LIST_BYTES = 4 + 1 + 2, HEAD_BYTES = 1 + 4 };
enum {
	TEXT_CAP = HEAD_BYTES + (ACCOUNT_ENTRIES_MAX + 1) * (ENTRY_BYTES + MINUTES * LIST_BYTES) +
		   (ACCOUNT_SAMPLES_MAX + METRIC_VALUES_MAX) * (int) sizeof(struct metric_sample)
};

struct spread {
	size_t count, capacity;
	struct metric_sample at[]; /* in ascending order of values */
};

struct entry {
	uuid metric;
	uint8_t minutes; /* bit set of the minutes that have datapoints */
	struct {
		double samples, sum, least, most;
	} at[MINUTES];
	/* Different values of each minute. NULL: one value alone, which is the least and the most, or the values are not known. */
	struct spread *values[MINUTES];
};

struct bucket {
	struct bucket *next; /* in its account's list */
	uuid account;
	int64_t from_us, used_us;
	bool is_dirty;
	struct entry *entries; /* in order of metrics */
	size_t count, capacity;
	size_t sample_count; /* room of all lists of values */
};

struct metrics {
	pthread_mutex_t lock; /* guards everything */
	struct bucket *heads[HEADS];
	size_t entry_count, sample_count;
	bool has_timer;
};

struct metrics *metrics_new(void)
{
	struct metrics *m = heap_new(struct metrics);
	if (m)
		(void) pthread_mutex_init(&m->lock, NULL);
	return m;
}

static void free_bucket(struct bucket *b)
{
	for (size_t k = 0; b && k < b->count; k++)
		for (size_t minute = 0; minute < MINUTES; minute++)
			heap_free(b->entries[k].values[minute]);
	if (b)
		heap_free(b->entries);
	heap_free(b);
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t k = 0; k < HEADS; k++)
		while (m->heads[k]) {
			struct bucket *b = m->heads[k];
			m->heads[k] = b->next;
			free_bucket(b);
		}
	(void) pthread_mutex_destroy(&m->lock);
	heap_free(m);
}

/* With the lock held. */
static struct bucket **head_of(struct metrics *m, uuid account)
{
	uint32_t bits = 0;
	memcpy(&bits, account.b + 4, sizeof bits);
	return &m->heads[bits % HEADS];
}

static struct bucket *find_bucket(struct metrics *m, uuid account, int64_t from_us)
{
	struct bucket *b = *head_of(m, account);
	while (b && !(b->from_us == from_us && uuid_equal(b->account, account)))
		b = b->next;
	return b;
}

/* ---- entries ---- */

/* The place of a metric, or where it belongs. */
static size_t place_of(const struct bucket *b, uuid metric)
{
	size_t low = 0, high = b->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (uuid_compare(b->entries[middle].metric, metric) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct entry *find_entry(const struct bucket *b, uuid metric)
{
	size_t place = place_of(b, metric);
	return place < b->count && uuid_equal(b->entries[place].metric, metric) ? &b->entries[place] : NULL;
}

/* NULL: out of memory. */
static struct entry *make_entry(struct bucket *b, uuid metric)
{
	size_t place = place_of(b, metric);
	if (place < b->count && uuid_equal(b->entries[place].metric, metric))
		return &b->entries[place];
	if (b->count == b->capacity) {
		size_t capacity = b->capacity ? 2 * b->capacity : 8;
		void *entries = b->entries ? heap_resize(b->entries, capacity * sizeof *b->entries)
					   : heap_alloc_array(capacity, sizeof *b->entries);
		if (!entries)
			return NULL;
		b->entries = entries;
		b->capacity = capacity;
	}
	memmove(b->entries + place + 1, b->entries + place, (b->count - place) * sizeof *b->entries);
	b->count++;
	b->entries[place] = (struct entry){.metric = metric};
	return &b->entries[place];
}

static void add_value(struct entry *e, size_t minute, const struct metric_point *p)
{
	bool is_first = !(e->minutes & 1 << minute);
	e->minutes |= (uint8_t) (1 << minute);
	e->at[minute].samples += p->samples;
	e->at[minute].sum += p->sum;
	if (is_first || p->least < e->at[minute].least)
		e->at[minute].least = p->least;
	if (is_first || p->most > e->at[minute].most)
		e->at[minute].most = p->most;
}

/* ---- different values of a minute ---- */

static void drop_spread(struct metrics *m, struct bucket *b, struct spread **at)
{
	size_t capacity = *at ? (*at)->capacity : 0;
	m->sample_count -= capacity;
	b->sample_count -= capacity;
	heap_free(*at);
	*at = NULL;
}

static size_t count_samples(struct metrics *m, uuid account)
{
	size_t count = 0;
	for (const struct bucket *b = *head_of(m, account); b; b = b->next)
		count += uuid_equal(b->account, account) ? b->sample_count : 0;
	return count;
}

/* Makes room for one more value. False: there is none, for this minute, its account or all. */
static bool grow_spread(struct metrics *m, struct bucket *b, struct spread **at)
{
	size_t before = *at ? (*at)->capacity : 0, capacity = before ? 2 * before : 4;
	if (*at && (*at)->count < (*at)->capacity)
		return true;
	capacity = capacity < METRIC_VALUES_MAX ? capacity : METRIC_VALUES_MAX;
	if (before == METRIC_VALUES_MAX || m->sample_count + capacity > SAMPLES_MAX ||
	    count_samples(m, b->account) + capacity > ACCOUNT_SAMPLES_MAX)
		return false;
	size_t size = sizeof **at + capacity * sizeof *(*at)->at;
	struct spread *grown = *at ? heap_resize(*at, size) : heap_alloc(size);
	if (!grown)
		return false;
	grown->count = before ? grown->count : 0;
	grown->capacity = capacity;
	m->sample_count += capacity - before;
	b->sample_count += capacity - before;
	*at = grown;
	return true;
}

static bool add_sample(struct metrics *m, struct bucket *b, struct spread **at, const struct metric_sample *s)
{
	size_t place = 0;
	while (*at && place < (*at)->count && (*at)->at[place].value < s->value)
		place++;
	if (*at && place < (*at)->count && (*at)->at[place].value == s->value) {
		(*at)->at[place].count += s->count;
		return true;
	}
	if (!grow_spread(m, b, at))
		return false;
	struct spread *list = *at;
	memmove(list->at + place + 1, list->at + place, (list->count - place) * sizeof *list->at);
	list->at[place] = *s;
	list->count++;
	return true;
}

static bool add_samples(struct metrics *m, struct bucket *b, struct spread **at, const struct metric_point *p)
{
	const struct metric_sample one = {p->least, p->samples};
	if (!p->value_count)
		return p->least == p->most && add_sample(m, b, at, &one);
	for (size_t k = 0; k < p->value_count; k++)
		if (p->values[k].count > 0 && !add_sample(m, b, at, &p->values[k]))
			return false;
	return true;
}

/* Notes the values of a point beside those of its minute, before the sums. Without room, or if one of the two is a statistic set, the
 * minute's values are not known from then on. */
static void note_values(struct metrics *m, struct bucket *b, struct entry *e, size_t minute,
			const struct metric_point *p)
{
	struct spread **at = &e->values[minute];
	bool is_first = !(e->minutes & 1 << minute);
	const struct metric_point before = {
		0, e->at[minute].samples, e->at[minute].sum, e->at[minute].least, e->at[minute].most, NULL,
		0};
	bool is_known = is_first || *at || before.least == before.most;
	if (p->least == p->most && (is_first || (!*at && is_known && before.least == p->least)))
		return; /* one value needs no list */
	if (is_known && !is_first && !*at)
		is_known = add_samples(m, b, at, &before);
	if (!is_known || !add_samples(m, b, at, p))
		drop_spread(m, b, at);
}

/* ---- text: a letter, the number of entries, and of each entry metric, minutes and sums as they are in memory; then lists of values,
 * each with its entry, its minute and its length. ---- */

static void pack_number(struct buf *out, size_t number, size_t bytes)
{
	for (size_t k = 0; k < bytes; k++)
		buf_add_char(out, (char) (number >> 8 * k & 255));
}

static size_t unpack_number(const char *p, size_t bytes)
{
	size_t number = 0;
	for (size_t k = 0; k < bytes; k++)
		number |= (size_t) (unsigned char) p[k] << 8 * k;
	return number;
}

static void pack(struct buf *out, const struct bucket *b)
{
	buf_add_char(out, FORMAT);
	pack_number(out, b->count, HEAD_BYTES - 1);
	for (size_t k = 0; k < b->count; k++) {
		const struct entry *e = &b->entries[k];
		buf_add_str(out, (struct str){(const char *) e->metric.b, sizeof e->metric.b});
		buf_add_char(out, (char) e->minutes);
		buf_add_str(out, (struct str){(const char *) e->at, sizeof e->at});
	}
	for (size_t k = 0; k < b->count; k++)
		for (size_t minute = 0; minute < MINUTES; minute++) {
			const struct spread *list = b->entries[k].values[minute];
			if (!list)
				continue;
			pack_number(out, k, 4);
			pack_number(out, minute, 1);
			pack_number(out, list->count, 2);
			buf_add(out, list->at, list->count * sizeof *list->at);
		}
}

static bool unpack_next(struct str *text, struct entry *e)
{
	if (text->n < ENTRY_BYTES)
		return false;
	*e = (struct entry){0};
	memcpy(e->metric.b, text->p, sizeof e->metric.b);
	e->minutes = (uint8_t) text->p[sizeof e->metric.b];
	memcpy(e->at, text->p + sizeof e->metric.b + 1, sizeof e->at);
	*text = str_slice(*text, ENTRY_BYTES, text->n);
	return true;
}

/* A list of a text's second part. */
struct packed_list {
	size_t entry, minute, count;
	const char *samples; /* not aligned */
};

static bool unpack_list(struct str *text, struct packed_list *list)
{
	if (text->n < LIST_BYTES)
		return false;
	list->entry = unpack_number(text->p, 4);
	list->minute = unpack_number(text->p + 4, 1);
	list->count = unpack_number(text->p + 5, 2);
	size_t size = LIST_BYTES + list->count * sizeof(struct metric_sample);
	list->samples = text->p + LIST_BYTES;
	bool is_sound = size <= text->n && list->minute < MINUTES && list->count <= METRIC_VALUES_MAX;
	*text = is_sound ? str_slice(*text, size, text->n) : STR_NONE;
	return is_sound;
}

/* *ret_lists: the second part. */
static bool open_text(struct str *text, struct str *ret_lists)
{
	struct str all = *text;
	char format = all.n ? all.p[0] : 0;
	*text = *ret_lists = STR_NONE;
	if (format == FORMAT_PLAIN)
		*text = str_slice(all, 1, all.n);
	if (format == FORMAT && all.n >= HEAD_BYTES) {
		size_t end = HEAD_BYTES + unpack_number(all.p + 1, HEAD_BYTES - 1) * ENTRY_BYTES;
		*text = str_slice(all, HEAD_BYTES, end);
		*ret_lists = str_slice(all, end, all.n);
	}
	return text->p != NULL;
}

/* ---- the timer, while buckets are in memory ---- */

static void post_timer(struct reconciler *r)
{
	actor_post_at(r->home_actor, &r->metrics_job, (clock_now_us() / FLUSH_US + 1) * FLUSH_US);
}

static void write_dirty(struct job *job);

/* With the lock held. Buckets that were only read are dropped by it, too. */
static void start_timer(struct reconciler *r)
{
	if (r->metrics->has_timer)
		return;
	r->metrics->has_timer = true;
	r->metrics_job = (struct job){.run = write_dirty};
	post_timer(r);
}

/* ---- loading ---- */

static RESULT take_series(void *arg, const struct series *series)
{
	struct bucket *b = arg;
	struct str text = series->bytes, lists = STR_NONE;
	struct entry read, *made;
	struct packed_list list;
	(void) open_text(&text, &lists);
	while (unpack_next(&text, &read)) {
		made = make_entry(b, read.metric);
		if (!made)
			return FAIL(NO_MEMORY);
		*made = read;
	}
	while (unpack_list(&lists, &list)) {
		size_t bytes = list.count * sizeof(struct metric_sample);
		struct spread *spread = list.entry < b->count ? heap_alloc(sizeof *spread + bytes) : NULL;
		if (!spread)
			return FAIL(NO_MEMORY);
		memcpy(spread->at, list.samples, bytes);
		spread->count = spread->capacity = list.count;
		b->sample_count += list.count;
		heap_free(b->entries[list.entry].values[list.minute]);
		b->entries[list.entry].values[list.minute] = spread;
	}
	return OK;
}

/* Finds a bucket, which is read from SQL when it is not in memory. Returns with the lock held, whatever the result. */
static RESULT enter_bucket(struct reconciler *r, struct ctx *c, uuid account, int64_t from_us,
			   struct bucket **ret_bucket)
{
	struct metrics *m = r->metrics;
	struct series_query query = {
		.host = account, .step_us = BUCKET_US, .from_us = from_us, .before_us = from_us + 1};
	(void) pthread_mutex_lock(&m->lock);
	*ret_bucket = find_bucket(m, account, from_us);
	if (*ret_bucket)
		return OK;
	(void) pthread_mutex_unlock(&m->lock);
	struct bucket *made = heap_new(struct bucket);
	struct result result =
		made ? store_read_series(r->store, c, &query, take_series, made) : ctx_no_memory(c);
	(void) pthread_mutex_lock(&m->lock);
	if (!result_is_ok(result)) {
		free_bucket(made);
		return result;
	}
	*ret_bucket = find_bucket(m, account, from_us);
	if (*ret_bucket) { /* another thread was faster */
		free_bucket(made);
		return OK;
	}
	made->account = account;
	made->from_us = from_us;
	made->next = *head_of(m, account);
	*head_of(m, account) = made;
	m->entry_count += made->count;
	m->sample_count += made->sample_count;
	start_timer(r);
	*ret_bucket = made;
	return OK;
}

/* ---- writing ---- */

static struct bucket *find_dirty(struct metrics *m)
{
	for (size_t k = 0; k < HEADS; k++)
		for (struct bucket *b = m->heads[k]; b; b = b->next)
			if (b->is_dirty)
				return b;
	return NULL;
}

/* Drops what nobody needs any more; returns true if something is left. */
static bool drop_old(struct metrics *m, int64_t now_us)
{
	bool is_left = false;
	for (size_t k = 0; k < HEADS; k++)
		for (struct bucket **at = &m->heads[k]; *at;) {
			struct bucket *b = *at;
			bool is_old = !b->is_dirty && now_us - b->from_us > HELD_US &&
				      now_us - b->used_us > FLUSH_US;
			if (!is_old) {
				is_left = true;
				at = &b->next;
				continue;
			}
			m->entry_count -= b->count;
			m->sample_count -= b->sample_count;
			*at = b->next;
			free_bucket(b);
		}
	return is_left;
}

static void write_dirty(struct job *job)
{
	struct reconciler *r =
		(struct reconciler *) (void *) ((char *) job - offsetof(struct reconciler, metrics_job));
	struct metrics *m = r->metrics;
	(void) pthread_mutex_lock(&m->lock);
	for (struct bucket *b = find_dirty(m); b; b = find_dirty(m)) {
		struct buf text;
		struct series series = {.host = b->account,
					.step_us = BUCKET_US,
					.from_us = b->from_us,
					.keep_us = METRICS_KEPT_US};
		buf_init(&text, TEXT_CAP);
		pack(&text, b);
		b->is_dirty = false;
		(void) pthread_mutex_unlock(&m->lock);
		figures_keep(r, &series, &text);
		(void) pthread_mutex_lock(&m->lock);
	}
	m->has_timer = drop_old(m, clock_now_us());
	if (m->has_timer)
		post_timer(r);
	(void) pthread_mutex_unlock(&m->lock);
}

/* ---- adding ---- */

static size_t count_entries(struct metrics *m, uuid account)
{
	size_t count = 0;
	for (const struct bucket *b = *head_of(m, account); b; b = b->next)
		count += uuid_equal(b->account, account) ? b->count : 0;
	return count;
}

static RESULT add_to(struct reconciler *r, struct ctx *c, struct bucket *b, const struct metric_added *added)
{
	struct metrics *m = r->metrics;
	size_t before = b->count;
	if (!find_entry(b, added->metric) &&
	    (m->entry_count >= ENTRIES_MAX || count_entries(m, b->account) >= ACCOUNT_ENTRIES_MAX))
		return ctx_fail(c, ERR_THROTTLED, "Rate exceeded");
	struct entry *e = make_entry(b, added->metric);
	if (!e)
		return ctx_no_memory(c);
	m->entry_count += b->count - before;
	size_t minute = (size_t) ((added->point.at_us - b->from_us) / MINUTE);
	note_values(m, b, e, minute, &added->point);
	add_value(e, minute, &added->point);
	b->is_dirty = true;
	b->used_us = clock_now_us();
	return OK;
}

RESULT reconciler_add_metric_points(struct reconciler *r, struct ctx *c, uuid account,
				    const struct metric_added *at, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		struct bucket *b = NULL;
		struct result result =
			enter_bucket(r, c, account, at[k].point.at_us / BUCKET_US * BUCKET_US, &b);
		if (result_is_ok(result))
			result = add_to(r, c, b, &at[k]);
		(void) pthread_mutex_unlock(&r->metrics->lock);
		TRY(result);
	}
	return OK;
}

/* ---- reading ---- */

struct metric_walk {
	struct reconciler *r;
	struct ctx *c;
	uuid account, metric;
	const struct metric_range *range;
	struct metric_points *points;
};

/* Copies the list of a minute, which may be any bytes. */
static RESULT copy_values(struct metric_walk *w, const void *samples, size_t count, struct metric_point *p)
{
	struct metric_sample *values = arena_new_array(w->c->arena, struct metric_sample, count + 1);
	if (!values)
		return ctx_no_memory(w->c);
	memcpy(values, samples, count * sizeof *values);
	p->values = values;
	p->value_count = count;
	return OK;
}

/* lists: the second part of the text that the entry was read from, and the entry's number there. */
struct packed_values {
	struct str lists;
	size_t entry;
};

static RESULT find_values(struct metric_walk *w, const struct entry *e, size_t minute,
			  const struct packed_values *packed, struct metric_point *p)
{
	struct str lists = packed ? packed->lists : STR_NONE;
	struct packed_list list;
	if (!w->range->has_values)
		return OK;
	if (e->values[minute])
		return copy_values(w, e->values[minute]->at, e->values[minute]->count, p);
	while (unpack_list(&lists, &list))
		if (list.entry == packed->entry && list.minute == minute)
			return copy_values(w, list.samples, list.count, p);
	return OK;
}

static RESULT take_entry(struct metric_walk *w, const struct entry *e, const struct packed_values *packed,
			 int64_t from_us)
{
	for (size_t k = 0; e && k < MINUTES; k++) {
		int64_t at_us = from_us + (int64_t) k * MINUTE;
		if (!(e->minutes & 1 << k) || at_us < w->range->from_us || at_us >= w->range->before_us)
			continue;
		struct metric_point p = {
			at_us, e->at[k].samples, e->at[k].sum, e->at[k].least, e->at[k].most, NULL, 0};
		TRY(find_values(w, e, k, packed, &p));
		if (!VEC_PUSH(w->c->arena, w->points, p))
			return ctx_no_memory(w->c);
	}
	return OK;
}

/* Entries are in order of metrics, as pack() found them. */
static bool find_in_text(struct str text, uuid metric, struct entry *ret_entry, size_t *ret_place)
{
	size_t low = 0, high = text.n / ENTRY_BYTES;
	while (low < high) {
		size_t middle = (low + high) / 2;
		struct str from = str_slice(text, middle * ENTRY_BYTES, text.n);
		if (!unpack_next(&from, ret_entry))
			return false;
		int order = uuid_compare(ret_entry->metric, metric);
		*ret_place = middle;
		if (!order)
			return true;
		low = order < 0 ? middle + 1 : low;
		high = order < 0 ? high : middle;
	}
	return false;
}

/* A bucket in memory is newer than its text. */
static RESULT take_text(void *arg, const struct series *series)
{
	struct metric_walk *w = arg;
	struct str text = series->bytes;
	struct entry read;
	struct packed_values packed = {0};
	(void) pthread_mutex_lock(&w->r->metrics->lock);
	bool is_held = find_bucket(w->r->metrics, w->account, series->from_us);
	(void) pthread_mutex_unlock(&w->r->metrics->lock);
	bool is_there = !is_held && open_text(&text, &packed.lists) &&
			find_in_text(text, w->metric, &read, &packed.entry);
	return is_there ? take_entry(w, &read, &packed, series->from_us) : OK;
}

/* Buckets of the last hour are held; older ones come from SQL, but for those that are held as well. */
RESULT metrics_read(struct reconciler *r, struct ctx *c, uuid account, uuid metric,
		    const struct metric_range *range, struct metric_points *points)
{
	struct metric_walk walk = {r, c, account, metric, range, points};
	int64_t first_us = range->from_us / BUCKET_US * BUCKET_US;
	int64_t held_us = (clock_now_us() - HOUR) / BUCKET_US * BUCKET_US;
	int64_t until_us = clock_now_us() + METRICS_AHEAD_US + BUCKET_US;
	int64_t before_us = range->before_us < until_us ? range->before_us : until_us;
	struct series_query query = {.host = account,
				     .step_us = BUCKET_US,
				     .from_us = first_us,
				     .before_us = before_us < held_us ? before_us : held_us};
	if (query.from_us < query.before_us)
		TRY(store_read_series(r->store, c, &query, take_text, &walk));
	for (int64_t at_us = first_us > held_us ? first_us : held_us; at_us < before_us; at_us += BUCKET_US) {
		struct bucket *b = NULL;
		struct result result = enter_bucket(r, c, account, at_us, &b);
		if (result_is_ok(result))
			result = take_entry(&walk, find_entry(b, metric), NULL, at_us);
		(void) pthread_mutex_unlock(&r->metrics->lock);
		TRY(result);
	}
	struct result result = OK;
	(void) pthread_mutex_lock(&r->metrics->lock);
	for (const struct bucket *b = *head_of(r->metrics, account); b && result_is_ok(result); b = b->next)
		if (uuid_equal(b->account, account) && b->from_us >= first_us && b->from_us < held_us &&
		    b->from_us < before_us)
			result = take_entry(&walk, find_entry(b, metric), NULL, b->from_us);
	(void) pthread_mutex_unlock(&r->metrics->lock);
	return result;
}
