/* SPDX-License-Identifier: Apache-2.0
 * The feed of row changes. The lock protects the ring, the newcomers and the flags; the viewers belong to
 * the actor. Streams are written without the lock, because they call back under locks of their own.
 */
#include "api/native/feed.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/native/action.h"
#include "api/native/feed_internal.h"
#include "api/native/rows.h"
#include "auth/sign_in/session.h"
#include "base/ceiling.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/vec.h"

enum { ARENA_CAP = 64 * 1024 * 1024, ROWS_AT_ONCE = 8 * 1024, NOTE_SIZE = 256, MESSAGE_MAX = 160 * 1024 };

/* ---- waking ---- */

/* Needs the lock. */
static void wake_at(struct feed *f, int64_t due_us)
{
	if (f->is_woken || f->is_over)
		return;
	f->is_woken = true;
	actor_post_at(f->actor, &f->wake, due_us);
}

static void wake(struct feed *f)
{
	(void) pthread_mutex_lock(&f->lock);
	wake_at(f, clock_now_us());
	(void) pthread_mutex_unlock(&f->lock);
}

/* Delay until the next frame. Grows with the number of viewers, so that a burst becomes one send to
 * each. */
static int64_t frame_us(const struct feed *f)
{
	return FEED_FRAME_MS * MILLISECOND + (int64_t) f->viewer_count * 60;
}

static void note_published(void *self, const struct tables *t, const struct published *published,
			   size_t count)
{
	struct feed *f = self;
	uint64_t commit = 0; /* of this publish: the newest commit of its kinds */
	for (size_t k = 0; k < count; k++)
		commit = tables_kind_commit(t, published[k].kind) > commit
				 ? tables_kind_commit(t, published[k].kind)
				 : commit;
	(void) pthread_mutex_lock(&f->lock);
	for (size_t k = 0; k < count; k++)
		feed_note(f, t, &published[k], commit);
	if (f->viewer_count)
		wake_at(f, clock_now_us() + frame_us(f));
	(void) pthread_mutex_unlock(&f->lock);
}

/* ---- viewers ---- */

static void drained(void *arg)
{
	struct viewer *v = arg;
	if (atomic_exchange(&v->is_behind, false))
		wake(v->feed);
}

static void gone(void *arg)
{
	struct viewer *v = arg;
	v->is_gone = true;
	wake(v->feed);
}

struct http_stream_owner feed_owner_of(struct viewer *v)
{
	return (struct http_stream_owner){drained, gone, v};
}

/* Needs the lock. */
static bool may_admit(const struct feed *f, const struct identity *who)
{
	static const struct ceiling of_user = {FEED_STREAMS_MAX, FEED_STREAMS_OF_USER, FEED_STREAMS_RESERVE},
				    of_account = {FEED_STREAMS_MAX, FEED_STREAMS_OF_ACCOUNT,
						  FEED_STREAMS_RESERVE};
	size_t users = 0, accounts = 0;
	bool is_admin = identity_is_admin(who);
	for (const struct viewer *v = f->admitted; v; v = v->next_admitted) {
		users += uuid_equal(v->who.user, who->user);
		accounts += uuid_equal(v->who.account, who->account);
	}
	return !f->is_over && ceiling_admits(&of_user, f->viewer_count, users, is_admin) &&
	       ceiling_admits(&of_account, f->viewer_count, accounts, is_admin);
}

/* Needs the lock. */
static void admit(struct feed *f, struct viewer *v)
{
	v->next_admitted = f->admitted;
	if (v->next_admitted)
		v->next_admitted->previous_admitted = v;
	f->admitted = v;
	f->viewer_count++;
}

/* Needs the lock. */
static void dismiss(struct feed *f, struct viewer *v)
{
	*(v->previous_admitted ? &v->previous_admitted->next_admitted : &f->admitted) = v->next_admitted;
	if (v->next_admitted)
		v->next_admitted->previous_admitted = v->previous_admitted;
	f->viewer_count--;
}

/* Parses "<nonce>-<batch>". False if another process issued it. */
static bool read_since(const struct feed *f, struct str text, uint64_t *ret_commit)
{
	size_t dash = str_find_char(text, '-', 0);
	int64_t nonce = 0, commit = 0;
	if (dash >= text.n || !result_is_ok(str_parse_int(str_slice(text, 0, dash), &nonce)) ||
	    !result_is_ok(str_parse_int(str_slice(text, dash + 1, text.n), &commit)))
		return false;
	*ret_commit = (uint64_t) commit;
	return nonce == f->nonce && commit >= 0;
}

/* Finds the ring position after `commit`. False if the ring no longer reaches back to there. Needs the
 * lock. */
static bool find_place(const struct feed *f, uint64_t commit, uint64_t *ret_position)
{
	uint64_t oldest = f->head > FEED_RING ? f->head - FEED_RING : 0, low = oldest, high = f->head;
	if (oldest && f->ring[oldest % FEED_RING].commit > commit + 1)
		return false;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (f->ring[middle % FEED_RING].commit <= commit)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_position = low;
	return commit >= f->first_commit;
}

/* Sets the viewer's start. Needs the lock. */
static void place(struct feed *f, struct viewer *v, struct str since)
{
	uint64_t commit = 0;
	v->position = v->rights_position = f->head;
	if (since.n)
		v->needs_reset = !read_since(f, since, &commit) || !find_place(f, commit, &v->position);
	if (v->needs_reset)
		v->position = f->head;
}

RESULT feed_admit(struct feed *f, struct ctx *c, const struct feed_wish *wish, struct viewer **ret_viewer)
{
	struct viewer *v = heap_new(struct viewer);
	if (!v)
		return ctx_no_memory(c);
	const struct identity *who = wish->who;
	v->feed = f;
	v->who = (struct identity){.scope = who->scope,
				   .rights = who->rights,
				   .account = wish->account,
				   .domain = who->domain,
				   .user = who->user,
				   .is_operator = who->is_operator,
				   .is_owner = who->is_owner};
	v->plain = v->who;
	v->plain.rights &= RIGHTS_OF_MEMBER | RIGHT(MANAGER);
	v->plain.is_operator = false;
	v->token = wish->token;
	v->expires_us = who->session ? who->session->expires_us : wish->token.expires_us;
	memcpy(v->all, wish->all, sizeof v->all);
	memcpy(v->kinds, wish->kinds, sizeof v->kinds);
	v->silent_since_us = clock_now_us();
	(void) pthread_mutex_lock(&f->lock);
	bool may = may_admit(f, &v->who);
	if (may)
		admit(f, v);
	place(f, v, wish->since);
	(void) pthread_mutex_unlock(&f->lock);
	if (!may) {
		heap_free(v);
		return ctx_fail(c, ERR_THROTTLED, "As many streams are open as there may be.");
	}
	*ret_viewer = v;
	return OK;
}

static void let_go(struct viewer *v)
{
	struct feed *f = v->feed;
	if (v->stream)
		http_stream_free(v->stream);
	(void) pthread_mutex_lock(&f->lock);
	dismiss(f, v);
	(void) pthread_mutex_unlock(&f->lock);
	heap_free(v);
}

static void say_bye(struct viewer *v, const char *reason)
{
	char text[NOTE_SIZE];
	int n = snprintf(text, sizeof text, "event: bye\ndata: {\"reason\":\"%s\"}\n\n", reason);
	v->feed->byes++;
	(void) http_stream_write(v->stream, (struct str){text, (size_t) n});
	http_stream_end(v->stream);
}

void feed_start(struct viewer *v, struct http_stream *stream)
{
	struct feed *f = v->feed;
	v->stream = stream;
	if (!stream) {
		let_go(v);
		return;
	}
	(void) pthread_mutex_lock(&f->lock);
	bool is_over = f->is_over;
	if (!is_over) {
		v->next = f->newcomers;
		f->newcomers = v;
		wake_at(f, clock_now_us());
	}
	(void) pthread_mutex_unlock(&f->lock);
	if (is_over) {
		say_bye(v, "shutdown");
		let_go(v);
	}
}

/* ---- one frame, on the actor ---- */

struct frame {
	struct feed *f;
	struct arena *arena;
	struct view view;
	struct feed_entry *entries; /* entries from..to, ROWS_AT_ONCE at most */
	struct str (*texts)[ROW_CLASSES];
	uint64_t from, to, tail; /* tail: oldest position in the ring */
	uint64_t commit;         /* commit of the last entry */
};

static bool is_of_viewer(const struct viewer *v, const struct feed_entry *e)
{
	if (!v->kinds[e->kind])
		return false;
	return v->all[e->kind] || e->is_for_all || uuid_equal(e->before, v->who.account) ||
	       uuid_equal(e->after, v->who.account);
}

static bool is_shown(const struct frame *frame, const struct viewer *v, enum kind kind, const struct row *row)
{
	struct ctx c, plain;
	ctx_init(&c, frame->arena);
	ctx_init(&plain, frame->arena);
	c.who = &v->who;
	plain.who = &v->plain;
	return native_sees(&c, frame->view.tables, kind, row) &&
	       (v->all[kind] || !model_kinds[kind].account_offset || engine_may_see(&plain, kind, row));
}

/* Renders the row as JSON once for all viewers of the same row class. */
static struct str render(struct frame *frame, const struct viewer *v, size_t k, const struct row *row)
{
	const struct feed_entry *e = &frame->entries[k];
	struct ctx c;
	ctx_init(&c, frame->arena);
	c.who = &v->who;
	unsigned class = row_class(&c, e->kind, row);
	struct str *text = &frame->texts[k][class];
	if (text->p)
		return *text;
	struct row_choice choice;
	struct json_writer w;
	struct buf b;
	row_choose_columns(e->kind, &choice);
	const struct row_writer rw = {.arena = frame->arena,
				      .tables = frame->view.tables,
				      .kind = e->kind,
				      .choice = &choice,
				      .says_none = true,
				      .whole_commit = tables_whole_commit};
	buf_init(&b, 1 << 20);
	json_write_begin(&w, &b);
	json_write_open(&w, NULL);
	json_write_z(&w, "kind", model_kinds[e->kind].name);
	json_write_z(&w, "list", model_shown[e->kind].name);
	row_write(&rw, &w, "row", row, class);
	json_write_close(&w);
	if (result_is_ok(json_write_end(&w)))
		*text = str_copy(frame->arena, buf_str(&b));
	buf_done(&b);
	return *text;
}

struct message {
	struct buf put, gone;
	size_t rows;
};

static void add_gone(struct message *m, const struct feed_entry *e)
{
	char id[UUID_TEXT_SIZE];
	buf_print(&m->gone, "%s{\"kind\":\"%s\",\"list\":\"%s\",\"id\":\"%s\"}", m->gone.size ? "," : "",
		  model_kinds[e->kind].name, model_shown[e->kind].name, uuid_write(e->id, id));
	m->rows++;
}

static void add_row(struct frame *frame, struct viewer *v, size_t k, struct message *m)
{
	const struct feed_entry *e = &frame->entries[k];
	const struct row *row = tables_find(frame->view.tables, e->kind, e->id);
	bool is_own = v->all[e->kind] || uuid_equal(e->before, v->who.account);
	if (row && is_shown(frame, v, e->kind, row)) {
		struct str text = render(frame, v, k, row);
		if (m->put.size)
			buf_add_char(&m->put, ',');
		buf_add_str(&m->put, text);
		m->rows++;
	} else if (!e->is_new && (is_own || e->was_shared || (!row && e->is_for_all)) &&
		   !(row && (model_shown[e->kind].belongs || native_is_of_desk(e->kind, row)))) {
		add_gone(m, e);
	}
}

static bool write_message(struct frame *frame, struct viewer *v, struct message *m, uint64_t commit)
{
	struct buf b;
	buf_init(&b, FEED_UNSENT_MAX);
	buf_print(&b,
		  "id: %" PRId64 "-%" PRIu64 "\nevent: rows\ndata: {\"batch\":%" PRIu64 ",\"at_us\":%" PRId64
		  ",\"put\":[",
		  frame->f->nonce, commit, frame->view.commit, clock_now_us());
	buf_add_str(&b, buf_str(&m->put));
	buf_add_str(&b, STR("],\"gone\":["));
	buf_add_str(&b, buf_str(&m->gone));
	buf_add_str(&b, STR("]}\n\n"));
	bool is_sent = result_is_ok(buf_finish(&b)) && http_stream_write(v->stream, buf_str(&b));
	buf_done(&b);
	v->silent_since_us = clock_now_us();
	frame->f->rows += m->rows;
	return is_sent;
}

/* Sends rows from the viewer's position on, up to MESSAGE_MAX bytes. */
static bool send_rows(struct frame *frame, struct viewer *v)
{
	struct message m = {0};
	uint64_t at = v->position > frame->from ? v->position : frame->from;
	buf_init(&m.put, FEED_UNSENT_MAX);
	buf_init(&m.gone, FEED_UNSENT_MAX);
	for (; at < frame->to && m.put.size + m.gone.size < MESSAGE_MAX; at++) {
		const struct feed_entry *e = &frame->entries[at - frame->from];
		if (e->is_last && is_of_viewer(v, e))
			add_row(frame, v, at - frame->from, &m);
	}
	bool is_cut = at < frame->to;
	v->position = at;
	if (is_cut)
		v->is_behind = true;
	/* A commit that is only partly sent must not become the event id. */
	uint64_t commit = is_cut ? frame->entries[at - frame->from].commit - 1 : frame->commit;
	bool is_sent = !m.rows || write_message(frame, v, &m, commit);
	buf_done(&m.put);
	buf_done(&m.gone);
	return is_sent;
}

static bool send_reset(struct frame *frame, struct viewer *v)
{
	char text[NOTE_SIZE];
	int n = snprintf(text, sizeof text,
			 "id: %" PRId64 "-%" PRIu64 "\nevent: reset\ndata: {\"batch\":%" PRIu64 "}\n\n",
			 frame->f->nonce, frame->view.commit, frame->view.commit);
	v->needs_reset = false;
	v->position = frame->f->seen_head;
	v->silent_since_us = clock_now_us();
	frame->f->resets++;
	return http_stream_write(v->stream, (struct str){text, (size_t) n});
}

static bool send_silence(struct frame *frame, struct viewer *v)
{
	char text[NOTE_SIZE];
	if (clock_now_us() - v->silent_since_us < FEED_SILENCE_S * SECOND)
		return true;
	v->silent_since_us = clock_now_us();
	int n = snprintf(text, sizeof text, ":\nid: %" PRId64 "-%" PRIu64 "\n\n", frame->f->nonce,
			 frame->commit);
	return http_stream_write(v->stream, (struct str){text, (size_t) n});
}

static bool is_about(const struct feed_entry *e, const struct viewer *v)
{
	return e->is_right && (e->is_for_all || uuid_equal(e->before, v->who.account) ||
			       uuid_equal(e->after, v->who.account) || uuid_equal(e->id, v->who.user));
}

/* True if the ring has entries about the viewer's rights since it was last checked. */
static bool are_rights_touched(struct frame *frame, struct viewer *v, bool *ret_is_policy)
{
	bool is_touched = false;
	uint64_t k = v->rights_position > frame->from ? v->rights_position : frame->from;
	*ret_is_policy = false;
	for (; k < frame->to; k++) {
		const struct feed_entry *e = &frame->entries[k - frame->from];
		if (!is_about(e, v))
			continue;
		is_touched = true;
		*ret_is_policy = *ret_is_policy || e->is_policy;
	}
	v->rights_position = frame->to;
	return is_touched;
}

/* Returns why the stream must end; NULL: it continues. Policies are checked when a stream begins, so
 * their change ends it. A token is also checked again from time to time: its application credential may
 * expire, which changes no row. */
static const char *why_end(struct frame *frame, struct viewer *v)
{
	struct ctx c;
	struct identity *who = NULL;
	int64_t now_us = clock_now_us();
	bool is_policy = false, has_token = v->token.expires_us != 0;
	bool is_touched = are_rights_touched(frame, v, &is_policy);
	if (v->expires_us && v->expires_us <= now_us)
		return "expired";
	if (v->was_weighed && !is_touched &&
	    !(has_token && now_us - v->weighed_us >= FEED_SILENCE_S * SECOND))
		return NULL;
	v->weighed_us = now_us;
	if (!has_token) /* a signature leaves no credential to check again */
		return v->was_weighed ? "rights" : (v->was_weighed = true, NULL);
	v->was_weighed = true;
	ctx_init(&c, frame->arena);
	if (!result_is_ok(token_weigh(frame->f->tokens, &c, &v->token, &who)))
		return "signed-out";
	return is_policy || who->rights != v->who.rights || who->is_owner != v->who.is_owner ? "rights"
											     : NULL;
}

static bool serve(struct frame *frame, struct viewer *v)
{
	if (v->why)
		say_bye(v, v->why);
	if (v->why || v->is_gone)
		return false;
	if (http_stream_unsent(v->stream) > FEED_UNSENT_WAITS) {
		v->is_behind = true;
		return true;
	}
	if (v->needs_reset || v->position < frame->tail)
		return send_reset(frame, v);
	bool is_sent = v->position < frame->from || send_rows(frame, v);
	if (!is_sent) {
		frame->f->cut++;
		http_stream_cut(v->stream);
	}
	return is_sent && send_silence(frame, v);
}

/* ---- reading the ring ---- */

static uint64_t lowest_place(const struct feed *f)
{
	uint64_t lowest = f->seen_head;
	for (const struct viewer *v = f->viewers; v; v = v->next)
		if (v->position < lowest && !v->is_gone && !v->needs_reset)
			lowest = v->position;
	return lowest;
}

/* Needs the lock. */
static RESULT copy_entries(struct frame *frame)
{
	struct feed *f = frame->f;
	uint64_t from = lowest_place(f);
	frame->tail = f->head > FEED_RING ? f->head - FEED_RING : 0;
	frame->from = from > frame->tail ? from : frame->tail;
	frame->to = f->head - frame->from > ROWS_AT_ONCE ? frame->from + ROWS_AT_ONCE : f->head;
	size_t count = (size_t) (frame->to - frame->from);
	frame->entries = arena_new_array(frame->arena, struct feed_entry, count ? count : 1);
	frame->texts = arena_alloc_array(frame->arena, count ? count : 1, sizeof *frame->texts);
	if (!frame->entries || !frame->texts)
		return FAIL(NO_MEMORY);
	for (size_t k = 0; k < count; k++)
		frame->entries[k] = f->ring[(frame->from + k) % FEED_RING];
	frame->commit = count ? frame->entries[count - 1].commit : f->last_commit;
	if (f->seen_head < frame->to)
		f->seen_head = frame->to;
	return OK;
}

static size_t slot_of(const struct feed_entry *e, size_t slots)
{
	uint64_t a, b;
	memcpy(&a, e->id.b, sizeof a);
	memcpy(&b, e->after.b, sizeof b);
	return (size_t) ((a ^ (b * 31) ^ ((uint64_t) e->kind << 7)) % slots);
}

static bool is_same(const struct feed_entry *a, const struct feed_entry *b)
{
	return a->kind == b->kind && uuid_equal(a->id, b->id) && uuid_equal(a->before, b->before) &&
	       uuid_equal(a->after, b->after);
}

/* Marks the last of several changes of a row. Only that one is sent, with the row as it is now. */
static RESULT mark_last(struct frame *frame)
{
	size_t count = (size_t) (frame->to - frame->from), slots = 2 * count + 1;
	uint32_t *table = arena_alloc_array(frame->arena, slots, sizeof *table);
	if (!table)
		return FAIL(NO_MEMORY);
	for (size_t k = count; k > 0; k--) {
		struct feed_entry *e = &frame->entries[k - 1];
		size_t at = slot_of(e, slots);
		while (table[at] && !is_same(&frame->entries[table[at] - 1], e))
			at = (at + 1) % slots;
		e->is_last = !table[at];
		if (table[at])
			frame->entries[table[at] - 1].is_new =
				frame->entries[table[at] - 1].is_new || e->is_new;
		else
			table[at] = (uint32_t) k;
	}
	return OK;
}

static void take_newcomers(struct feed *f)
{
	while (f->newcomers) {
		struct viewer *v = f->newcomers;
		f->newcomers = v->next;
		v->next = f->viewers;
		f->viewers = v;
	}
}

static void weigh_all(struct frame *frame)
{
	for (struct viewer *v = frame->f->viewers; v; v = v->next)
		v->why = why_end(frame, v);
}

static void serve_all(struct frame *frame)
{
	for (struct viewer **at = &frame->f->viewers; *at;) {
		struct viewer *v = *at;
		if (serve(frame, v)) {
			at = &v->next;
			continue;
		}
		*at = v->next;
		let_go(v);
	}
}

static void run_frame(struct job *job)
{
	struct feed *f = (struct feed *) ((char *) job - offsetof(struct feed, wake));
	struct frame frame = {.f = f, .arena = arena_new(ARENA_FIRST_SIZE, ARENA_CAP)};
	(void) pthread_mutex_lock(&f->lock);
	f->is_woken = false;
	take_newcomers(f);
	struct result copied = frame.arena ? copy_entries(&frame) : FAIL(NO_MEMORY);
	(void) pthread_mutex_unlock(&f->lock);
	if (result_is_ok(copied))
		copied = mark_last(&frame);
	if (result_is_ok(copied)) {
		weigh_all(&frame); /* before view_open(): checking tokens opens views of its own */
		view_open(f->store, &frame.view);
		serve_all(&frame);
		view_close(&frame.view);
		f->frames++;
	}
	arena_free(frame.arena);
	(void) pthread_mutex_lock(&f->lock);
	if (f->viewers && (!result_is_ok(copied) || frame.to < f->head))
		wake_at(f, clock_now_us() + frame_us(f));
	(void) pthread_mutex_unlock(&f->lock);
}

/* Wakes the actor for keep-alive comments and expired streams. */
static void run_tick(struct job *job)
{
	struct feed *f = (struct feed *) ((char *) job - offsetof(struct feed, tick));
	(void) pthread_mutex_lock(&f->lock);
	if (f->viewer_count)
		wake_at(f, clock_now_us());
	if (!f->is_over)
		actor_post_at(f->actor, &f->tick, clock_now_us() + FEED_SILENCE_S * SECOND / 2);
	(void) pthread_mutex_unlock(&f->lock);
}

/* ---- life ---- */

RESULT feed_new(struct ctx *c, const struct feed_config *config, struct feed **ret_feed)
{
	struct feed *f = heap_new(struct feed);
	if (!f)
		return ctx_no_memory(c);
	f->store = config->store;
	f->tokens = config->tokens;
	f->nonce = clock_now_us();
	f->wake.run = run_frame;
	f->tick.run = run_tick;
	(void) pthread_mutex_init(&f->lock, NULL);
	f->ring = heap_alloc(FEED_RING * sizeof f->ring[0]);
	f->actor = actor_new(config->executor, "feed");
	if (!f->ring || !f->actor) {
		feed_free(f);
		return ctx_no_memory(c);
	}
	struct view view = {0};
	view_open(f->store, &view);
	f->first_commit = f->last_commit = view.commit;
	view_close(&view);
	store_listen(f->store, note_published, f);
	f->listens = true;
	actor_post_at(f->actor, &f->tick, clock_now_us() + FEED_SILENCE_S * SECOND / 2);
	*ret_feed = f;
	return OK;
}

void feed_end(struct feed *f)
{
	if (!f || !f->actor)
		return;
	(void) pthread_mutex_lock(&f->lock);
	f->is_over = true;
	(void) pthread_mutex_unlock(&f->lock);
	if (f->listens)
		store_unlisten(f->store, note_published, f);
	f->listens = false;
	actor_free(f->actor); /* no actor runs any more, so this thread owns the viewers */
	f->actor = NULL;
	take_newcomers(f);
	while (f->viewers) {
		struct viewer *v = f->viewers;
		f->viewers = v->next;
		say_bye(v, "shutdown");
		let_go(v);
	}
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	feed_end(f);
	heap_free(f->ring);
	(void) pthread_mutex_destroy(&f->lock);
	heap_free(f);
}

void feed_read_figures(struct feed *f, struct feed_figures *ret_figures)
{
	(void) pthread_mutex_lock(&f->lock);
	*ret_figures = (struct feed_figures){.viewers = f->viewer_count,
					     .frames = f->frames,
					     .rows = f->rows,
					     .resets = f->resets,
					     .byes = f->byes,
					     .cut = f->cut};
	(void) pthread_mutex_unlock(&f->lock);
}
