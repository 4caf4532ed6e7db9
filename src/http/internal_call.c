/* SPDX-License-Identifier: Apache-2.0
 * Internal calls, which have no connection. */
#include "http/internal_call.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "http/internal.h"

enum { INSIDE_TIMEOUT_S = 30 }; /* as the default for clients' requests */

/* Lives in the call's own arena. */
struct inside_call {
	struct call call; /* must be the first member */
	struct call_private p;
	struct actor *actor;
	struct job job; /* resumes the call, or ends it */
	void (*done)(void *owner, int status, struct str body);
	void *owner;
	const void *arg;
	const struct identity *who;
	bool is_answered;
	int status;
	struct buf body;
};

static struct inside_call *inside_of(struct call *c)
{
	return (struct inside_call *) c;
}

const void *call_internal_arg(const struct call *c)
{
	return c->p && c->p->is_inside ? ((const struct inside_call *) c)->arg : NULL;
}

const struct identity *call_internal_caller(const struct call *c)
{
	return c->p && c->p->is_inside ? ((const struct inside_call *) c)->who : NULL;
}

static void end(struct inside_call *i)
{
	struct arena *a = i->call.ctx.arena;
	call_end(&i->call);
	i->done(i->owner, i->status, buf_str(&i->body));
	buf_done(&i->body);
	arena_free(a);
}

static void run(struct job *job)
{
	struct inside_call *i = (struct inside_call *) ((char *) job - offsetof(struct inside_call, job));
	if (!i->is_answered)
		i->p.resume(&i->call);
	if (i->is_answered)
		end(i);
}

/* The actor ends without an answer; done() is not called. */
static void drop(struct job *job)
{
	struct inside_call *i = (struct inside_call *) ((char *) job - offsetof(struct inside_call, job));
	struct arena *a = i->call.ctx.arena;
	call_end(&i->call);
	buf_done(&i->body);
	arena_free(a);
}

void internal_call_wake(struct call *c)
{
	struct inside_call *i = inside_of(c);
	actor_post(i->actor, &i->job);
}

void internal_call_answer(struct call *c, int status, struct buf *body)
{
	struct inside_call *i = inside_of(c);
	if (i->is_answered)
		return;
	i->is_answered = true;
	i->status = status;
	if (!body)
		return;
	i->body = *body;
	*body = (struct buf){0};
}

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OTHER"};

void call_begin_internal(struct actor *actor, void (*handle)(void *self, struct call *call), void *self,
			 const struct internal_call *wish)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct inside_call *i = a ? arena_new_object(a, struct inside_call) : NULL;
	if (!i) {
		arena_free(a);
		wish->done(wish->owner, 0, STR_NONE);
		return;
	}
	i->actor = actor;
	i->job = (struct job){.run = run, .drop = drop};
	i->done = wish->done;
	i->owner = wish->owner;
	i->arg = wish->arg;
	i->who = wish->who;
	i->p = (struct call_private){.is_inside = true, .last_answer_header = &i->p.answer_headers};
	ctx_init(&i->call.ctx, a);
	i->call.ctx.request_id = uuid_to_str(a, uuid_random());
	i->call.p = &i->p;
	i->call.self = self;
	i->call.peer = wish->peer;
	i->call.is_tls = wish->is_tls;
	i->call.method = wish->method;
	i->call.method_name = str_from(method_names[wish->method]);
	i->call.path = str_copy(a, wish->path);
	i->call.query = str_copy(a, wish->query);
	i->call.body = str_copy(a, wish->body);
	i->call.start_us = clock_now_us();
	i->call.ctx.deadline_us = i->call.start_us + INSIDE_TIMEOUT_S * SECOND;
	handle(self, &i->call);
	if (i->is_answered)
		actor_post(actor, &i->job);
}
