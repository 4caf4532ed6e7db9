/* SPDX-License-Identifier: Apache-2.0
 * Following the writer. One thread looks at the lease and reads the feed of committed batches. */
#include "daemon/follower/follower.h"
#include "daemon/follower/follower_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/core/forward.h"
#include "auth/sign_in/login_throttle.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/lane.h"
#include "base/log.h"
#include "daemon/follower/peer_line.h"
#include "http/tunnel_list.h"
#include "http/websocket.h"
#include "store/follow.h"
#include "store/lease.h"
#include "store/sql.h"

enum {
	THREADS = 16,
	WAITING_MAX = 2000,
	/* Shares of an account, or of an address that no account is known of: calls that take long at the writer would
	 * otherwise hold everybody's. */
	THREADS_OF_ONE = THREADS / 4,
	WAITING_OF_ONE = WAITING_MAX / 4,
	/* An upload occupies a thread while its client sends. */
	UPLOADS = 8,
	DOWNLOADS = 8, /* likewise, while its client receives */
	UPLOADS_WAITING = 64,
	UPLOADS_OF_ONE = 2,
	UPLOADS_WAITING_OF_ONE = 16,
	ADDRESS_MAX = 512,
	COMMAND_LINE_MAX = 64 * 1024,
	ARGUMENTS_MAX = 256,
	EXIT_CANNOT_START_AGAIN = 72
};

const char follower_refusal[] =
	"This dari process follows the region's writer and changes nothing itself. Ask the "
	"writer, or try again later.";

struct follower {
	struct lane *lane, *uploads, *downloads;
	struct tunnel_list *lines;
	pthread_t thread;
	bool runs;
	atomic_bool stops;
	_Atomic uint64_t served, passed_on;
	pthread_mutex_t lock; /* guards the next three, which calls read while the thread follows */
	char writer[ADDRESS_MAX];
	int64_t epoch;
	uint64_t commit; /* the database's */
};

/* ---- taking over ---- */

/* Starts this program again with the same arguments: the new process begins as the lease then says, writer or follower,
 * and no code has to turn the one into the other. Connections end. Does nothing in a process that was told to end:
 * it would forget that. */
static void start_again(const struct follower *f, const char *why)
{
	if (atomic_load(&f->stops))
		return;
	static char line[COMMAND_LINE_MAX + 1];
	char *argv[ARGUMENTS_MAX + 1] = {0};
	size_t size = 0, count = 0;
	AUTO_FD fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;
	while (fd >= 0 && size < COMMAND_LINE_MAX &&
	       (got = read(fd, line + size, COMMAND_LINE_MAX - size)) > 0)
		size += (size_t) got;
	for (char *at = line; at < line + size && count < ARGUMENTS_MAX; at += strlen(at) + 1)
		argv[count++] = at;
	log_event(LOG_WARN, "starts-again", "why=%s", log_quote(str_from(why)));
	(void) execv("/proc/self/exe", argv);
	log_event(LOG_ERROR, "cannot-start-again", "why=%s", log_quote(str_from(strerrordesc_np(errno))));
	_exit(EXIT_CANNOT_START_AGAIN); /* its supervisor starts it */
}

static void note_writer(struct follower *f, const struct sql_writer *writer)
{
	pthread_mutex_lock(&f->lock);
	(void) snprintf(f->writer, sizeof f->writer, "%.*s", STR_ARG(writer->address));
	f->epoch = writer->epoch;
	f->commit = writer->commit;
	pthread_mutex_unlock(&f->lock);
}

/* Refuses to take over a database that is older than what this process has shown: commits are missing there. */
static void look(struct daemon *d)
{
	struct sql_writer writer = {0};
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	if (!arena)
		return;
	ctx_init(&c, arena);
	if (store_read_following(d->store) == STORE_BEHIND)
		start_again(d->follower, "this follower is too far behind and loads everything again");
	if (!result_is_ok(d->sql->read_writer(d->sql, &c, &writer)))
		return; /* nobody can take over without the database */
	note_writer(d->follower, &writer);
	bool is_older =
		store_read_following(d->store) == STORE_OTHER || writer.commit < store_read_commit(d->store);
	if (writer.is_free && !is_older)
		start_again(d->follower, "the writer's lease has ended");
}

static void *follower_main(void *arg)
{
	struct daemon *d = arg;
	int64_t next_us = 0;
	(void) pthread_setname_np(pthread_self(), "follower");
	while (!atomic_load(&d->follower->stops)) {
		bool has_news = d->sql->await_feed(d->sql, LEASE_LOOK_MS);
		int64_t now_us = clock_monotonic_us();
		if (has_news || now_us >= next_us)
			store_follow(d->store);
		if (now_us < next_us)
			continue;
		look(d);
		next_us = now_us + LEASE_LOOK_MS * MILLISECOND;
	}
	return NULL;
}

/* ---- calls ---- */

/* The follower cannot know whether the writer has carried the call out. */
RESULT follower_say_unanswered(struct ctx *c, bool was_sent, struct str writer)
{
	ctx_clear_problem(c);
	return was_sent ? ctx_fail(c, ERR_AGAIN,
				   "The region's writer %" STR_FMT " did not answer, and it is not known "
				   "whether the call took effect. Try again "
				   "later with the same client token, or look first.",
				   STR_ARG(writer))
			: ctx_fail(c, ERR_AGAIN,
				   "The region's writer %" STR_FMT
				   " cannot be reached: another dari process takes "
				   "over within seconds. Try again later.",
				   STR_ARG(writer));
}

struct passed {
	struct daemon *d;
	struct api_face *face;
	struct call *call;
	int64_t epoch; /* the writer's */
	struct peer_call call_of_peer;
	struct peer_line *line; /* carries a console; NULL: the answer is an ordinary one */
};

bool follower_may_wait(struct daemon *d, int64_t epoch)
{
	struct follower *f = d->follower;
	pthread_mutex_lock(&f->lock);
	bool is_same = f->epoch == epoch;
	pthread_mutex_unlock(&f->lock);
	return is_same && !atomic_load(&f->stops);
}

static bool may_wait(void *self)
{
	const struct passed *p = self;
	return follower_may_wait(p->d, p->epoch);
}

struct str follower_copy_writer(struct daemon *d, struct arena *a, int64_t *ret_epoch)
{
	struct follower *f = d->follower;
	pthread_mutex_lock(&f->lock);
	struct str writer = str_copy(a, str_from(f->writer));
	*ret_epoch = f->epoch;
	pthread_mutex_unlock(&f->lock);
	return writer;
}

static RESULT pass(struct work_item *w)
{
	struct passed *p = w->arg;
	struct peer_call *peer = &p->call_of_peer;
	struct result r = peer->is_upgrade ? peer_line_dial(p->d->follower->lines, w->ctx, peer, &p->line)
					   : peer_ask(w->ctx, peer);
	return result_is_ok(r) || r.code == ERR_QUOTA
		       ? r
		       : follower_say_unanswered(w->ctx, peer->was_sent, peer->address);
}

static void set_answer_head(struct call *call, const struct peer_call *answer)
{
	if (answer->request_id.n)
		call->ctx.request_id = str_copy(call->ctx.arena, answer->request_id);
	for (size_t k = 0; k < answer->header_count; k++)
		call_set_answer_header(call, answer->headers[k].name,
				       str_copy(call->ctx.arena, answer->headers[k].value));
}

void follower_relay(struct daemon *d, struct call *call, struct peer_call *answer)
{
	/* the client may have seen what was committed until now */
	store_ask_feed(d->store);
	set_answer_head(call, answer);
	call_answer(call, answer->status, answer->content_type, &answer->body);
}

static void passed_resumed(struct call *call, struct result result)
{
	struct passed *p = call->face_data;
	struct peer_call *answer = &p->call_of_peer;
	if (p->line)
		store_ask_feed(p->d->store);
	if (!result_is_ok(result)) {
		buf_done(&answer->body);
		struct str why = call->ctx.problem.message;
		ctx_clear_problem(&call->ctx);
		api_refuse_now(p->face, call, why);
		return;
	}
	if (p->line) {
		set_answer_head(call, answer);
		buf_done(&answer->body);
		call_upgrade(call, "websocket", peer_line_get_tunnel(p->line));
	} else if (answer->is_large) {
		set_answer_head(call, answer);
		if (!follower_stream(p->d, call, answer, p->epoch, p->d->follower->downloads)) {
			call_drop_answer_headers(call);
			api_refuse_now(p->face, call, STR("Too little memory."));
		}
		peer_close(answer);
	} else {
		follower_relay(p->d, call, answer);
	}
}

void follower_refuse(struct daemon *d, struct call *call, struct api_face *face)
{
	int64_t epoch = 0;
	struct str writer = follower_copy_writer(d, call->ctx.arena, &epoch);
	api_refuse_now(
		face, call,
		str_print(call->ctx.arena,
			  "This dari process follows the region's writer and cannot serve this call. Ask the "
			  "writer, %" STR_FMT ", or try again later.",
			  STR_ARG(writer)));
}

/* Anything else that a client offers to speak, such as h2c, is ignored as by the writer. */
static bool is_console(const struct call *call)
{
	return call->method == HTTP_GET && websocket_is_asked(call);
}

struct passing {
	struct daemon *d;
	struct api_face *face;
};

static void pass_on(void *self, struct call *call, uuid asker)
{
	const struct passing *passing = self;
	struct follower *f = passing->d->follower;
	int64_t epoch = 0;
	struct str writer = follower_copy_writer(passing->d, call->ctx.arena, &epoch);
	struct passed *p = writer.n ? arena_new_object(call->ctx.arena, struct passed) : NULL;
	if (!p) {
		follower_refuse(passing->d, call, passing->face);
		return;
	}
	*p = (struct passed){.d = passing->d,
			     .face = passing->face,
			     .call = call,
			     .epoch = epoch,
			     .call_of_peer = {.address = writer,
					      .call = call,
					      .is_upgrade = is_console(call),
					      .master_key = passing->d->master_key,
					      .goes_on = may_wait,
					      .self = p,
					      .arena = call->ctx.arena,
					      .may_stream = call->method == HTTP_GET}};
	atomic_fetch_add(&f->passed_on, 1);
	const struct api_work work = {.lane = f->lane,
				      .asker = asker,
				      .refusal =
					      "Too many calls wait for the region's writer. Try again later.",
				      .run = pass,
				      .arg = p};
	call->face_data = p;
	api_work(call, &work, passed_resumed);
}

static void refuse_on(void *self, struct call *call, uuid asker)
{
	(void) asker;
	const struct passing *passing = self;
	follower_refuse(passing->d, call, passing->face);
}

/* Faces whose reads come from rows alone. */
static bool reads_rows(const struct daemon *d, const struct api_face *face)
{
	return face == d->ec2 || face == d->iam || face == d->openstack || face == d->cloudstack ||
	       face == d->azure;
}

void follower_handle(struct daemon *d, struct call *call, struct api_face *face)
{
	struct passing passing = {d, face};
	struct api_forward forward = {.pass_on = pass_on, .self = &passing};
	bool is_stream = str_is(call->path, "/api/v1/stream");
	if (call->face_data) {
		follower_end_upload(call);
	} else if (peer_is_passed_on(call)) {
		follower_refuse(d, call, face); /* it was passed on to the former writer */
	} else if (is_console(call)) {
		pass_on(&passing, call, login_attempt_address(call->peer));
	} else if ((reads_rows(d, face) && store_has_fed(d->store)) || is_stream) {
		forward.pass_on = is_stream ? refuse_on : pass_on;
		atomic_fetch_add(&d->follower->served, 1);
		api_handle_read(face, call, &forward);
	} else {
		pass_on(&passing, call, login_attempt_address(call->peer));
	}
}

void follower_begin(struct daemon *d, struct call *call, struct api_face *face)
{
	if (!api_is_upload(face, call))
		return;
	if (peer_is_passed_on(call)) {
		follower_refuse(d, call, face); /* it was passed on to the former writer */
		return;
	}
	atomic_fetch_add(&d->follower->passed_on, 1);
	follower_begin_upload(d, call, face, d->follower->uploads);
}

bool follower_note_peer(struct daemon *d, struct call *call, struct api_face *face)
{
	if (!peer_is_passed_on(call) || peer_take_client(d->master_key, call))
		return true;
	log_event(LOG_WARN, "peer-not-believed", "why=%s",
		  log_quote(STR("a passed-on call has no valid proof: do clock and master.key agree on all "
				"machines?")));
	api_refuse_now(
		face, call,
		STR("The writer does not believe the process that passed this call on: their clocks or their "
		    "master keys differ."));
	return false;
}

/* ---- state ---- */

void follower_read_state(struct daemon *d, struct arena *a, struct follower_state *ret_state)
{
	struct follower *f = d->follower;
	*ret_state = (struct follower_state){.is_writer = !f, .is_shared = d->sql->read_writer};
	if (!f) {
		ret_state->epoch = d->sql->lease.epoch;
		return;
	}
	ret_state->writer = follower_copy_writer(d, a, &ret_state->epoch);
	uint64_t shown = store_read_commit(d->store);
	pthread_mutex_lock(&f->lock);
	ret_state->lag = f->commit > shown ? f->commit - shown : 0;
	pthread_mutex_unlock(&f->lock);
	ret_state->passed_on = atomic_load(&f->passed_on);
	ret_state->served = atomic_load(&f->served);
}

/* ---- life ---- */

RESULT follower_start(struct daemon *d)
{
	struct follower *f = d->follower;
	const struct lane_config lane = {.executor = d->executor,
					 .name = "passed-on",
					 .threads = THREADS,
					 .waiting_max = WAITING_MAX,
					 .waiting_of_one = WAITING_OF_ONE,
					 .threads_of_one = THREADS_OF_ONE};
	const struct lane_config uploads = {.executor = d->executor,
					    .name = "uploads",
					    .threads = UPLOADS,
					    .waiting_max = UPLOADS_WAITING,
					    .waiting_of_one = UPLOADS_WAITING_OF_ONE,
					    .threads_of_one = UPLOADS_OF_ONE};
	TRY(lane_new(&d->ctx, &lane, &f->lane));
	TRY(lane_new(&d->ctx, &uploads, &f->uploads));
	const struct lane_config downloads = {.executor = d->executor,
					      .name = "downloads",
					      .threads = DOWNLOADS,
					      .waiting_max = UPLOADS_WAITING,
					      .waiting_of_one = UPLOADS_WAITING_OF_ONE,
					      .threads_of_one = UPLOADS_OF_ONE};
	TRY(lane_new(&d->ctx, &downloads, &f->downloads));
	TRY(peer_lines_new(&d->ctx, &f->lines));
	f->runs = pthread_create(&f->thread, NULL, follower_main, d) == 0;
	return f->runs ? OK
		       : ctx_fail(&d->ctx, ERR_NO_MEMORY, "cannot start the thread that follows the writer");
}

void follower_stop(struct daemon *d)
{
	struct follower *f = d->follower;
	atomic_store(&f->stops, true);
	tunnel_list_stop(f->lines);
	if (f->runs)
		(void) pthread_join(f->thread, NULL);
	f->runs = false;
}

void follower_free(struct daemon *d)
{
	struct follower *f = d->follower;
	if (!f)
		return;
	lane_free(f->lane);
	lane_free(f->uploads);
	lane_free(f->downloads);
	tunnel_list_free(f->lines);
	pthread_mutex_destroy(&f->lock);
	heap_free(f);
	d->follower = NULL;
}

RESULT follower_new(struct daemon *d, const struct sql_writer *writer)
{
	d->follower = heap_new(struct follower);
	if (!d->follower)
		return ctx_no_memory(&d->ctx);
	pthread_mutex_init(&d->follower->lock, NULL);
	note_writer(d->follower, writer);
	return OK;
}
