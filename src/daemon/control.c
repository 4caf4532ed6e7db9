/* SPDX-License-Identifier: Apache-2.0
 * The control socket: a unix socket that serves /api/v1, on which the caller is the operator. It must be root
 * or the server's own user (the socket's mode, and SO_PEERCRED). Also runs the commands of /api/v1, sent from
 * there or by a remote administrator, each on its own thread. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/core/dispatch.h"
#include "api/native/native.h"
#include "base/file.h"
#include "base/heap.h"
#include "daemon/authority.h"
#include "daemon/command.h"
#include "daemon/follower/follower.h"

enum { COMMANDS_MAX = 32, COMMAND_ARENA_CAP = 64 * 1024 * 1024, BACKLOG = 16 };

struct control {
	struct native_commands commands;
	char *path; /* NULL: not listening yet */
	_Atomic int running;
};

/* ---- one command ---- */

static RESULT refuse_in_follower(struct command_call *call)
{
	struct follower_state state;
	follower_read_state(call->daemon, call->ctx.arena, &state);
	return ctx_fail(
		&call->ctx, ERR_AGAIN,
		"This dari process follows the region's writer: run the command on the writer's machine "
		"(%" STR_FMT "). `dari doctor` works here.",
		STR_ARG(state.writer));
}

static RESULT run_words(struct command_call *call, const struct native_command *n)
{
	const struct command *command = command_find(n->words);
	if (!command || !command->run)
		return ctx_fail(&call->ctx, ERR_UNKNOWN, "no such command: %" STR_FMT, STR_ARG(n->words));
	if (!n->who->is_operator)
		TRY(command_check_remote(call, command));
	if (call->daemon->follower && !str_is(n->words, "doctor"))
		return refuse_in_follower(call);
	command_begin_audit(call, command, n->who);
	return command_end_audit(call, command->run(call));
}

static json_t *make_failure(struct command_call *call, struct result result)
{
	struct str words =
		call->ctx.problem.message.n ? call->ctx.problem.message : str_from(err_meaning(result.code));
	return json_pack("{s:s, s:o}", "error", err_name(result.code), "message",
			 json_stringn(words.p, words.n));
}

static json_t *make_outcome(struct command_call *call, struct result result)
{
	if (!result_is_ok(result))
		return make_failure(call, result);
	json_t *outcome = json_object();
	(void) json_object_set_new(outcome, "status", json_integer(call->status));
	(void) json_object_set_new(outcome, "text",
				   json_stringn(call->text.p ? call->text.p : "", call->text.size));
	(void) json_object_set(outcome, "value", call->value ? call->value : json_null());
	if (call->files)
		(void) json_object_set(outcome, "files", call->files);
	if (call->more) {
		(void) json_object_set(outcome, "more", call->more);
		(void) json_object_set_new(outcome, "waits", json_boolean(call->waits));
	}
	return outcome;
}

static RESULT write_outcome(struct ctx *c, json_t *outcome, struct str *ret_text)
{
	char *text = json_dumps(outcome, JSON_COMPACT);
	*ret_text = str_copy(c->arena, str_from(text ? text : ""));
	heap_free(text); /* jansson uses our allocator: daemon_run() */
	json_decref(outcome);
	return ret_text->n ? OK : ctx_no_memory(c);
}

/* Implements native_commands.run. */
static RESULT run_command(void *self, struct ctx *c, struct native_command *n)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, COMMAND_ARENA_CAP);
	struct command_call call;
	if (!arena)
		return ctx_no_memory(c);
	json_t *args =
		n->args.n ? json_loadb(n->args.p, n->args.n, JSON_REJECT_DUPLICATES, NULL) : json_object();
	if (!json_is_object(args)) {
		json_decref(args);
		return ctx_fail_field(c, ERR_INVALID, STR("args"), "args must be an object.");
	}
	command_call_init(&call, self, arena);
	call.args = args;
	call.from = n->from;
	command_act_for(&call, n->who);
	struct result result = run_words(&call, n);
	result = write_outcome(c, make_outcome(&call, result), &n->outcome);
	command_call_done(&call);
	json_decref(args);
	return result;
}

/* Implements native_commands.forget_host. A host added by hand has no file. */
static void forget_host(void *self, struct ctx *c, struct str name)
{
	if (!result_is_ok(authority_forget_host(c, &((struct daemon *) self)->settings, name)))
		ctx_clear_problem(c); /* recorded again when a host of that name is added that way */
}

/* ---- threads ---- */

struct running {
	struct control *control;
	struct work_item *work;
};

static void *running_main(void *data)
{
	struct running own = *(struct running *) data;
	heap_free(data);
	own.work->done(own.work, own.work->run(own.work));
	atomic_fetch_sub(&own.control->running, 1);
	return NULL;
}

/* Implements api_threads.start. */
static void start_running(void *self, struct work_item *w)
{
	struct control *control = self;
	struct running *running = heap_new(struct running);
	pthread_t thread;
	if (atomic_fetch_add(&control->running, 1) < COMMANDS_MAX && running) {
		*running = (struct running){control, w};
		if (pthread_create(&thread, NULL, running_main, running) == 0) {
			(void) pthread_detach(thread);
			return;
		}
	}
	atomic_fetch_sub(&control->running, 1);
	heap_free(running);
	w->done(w, ctx_fail(w->ctx, ERR_THROTTLED, "%d commands run already; ask again in a moment.",
			    COMMANDS_MAX));
}

/* ---- the door ---- */

static void handle_call(void *self, struct call *call)
{
	struct daemon *d = self;
	const struct http_local *peer = &call->local;
	if (!peer->is_known || (peer->uid != 0 && peer->uid != getuid()))
		api_reject(d->native, call, 403, ERR_DENIED);
	else if (!native_has_path(call->path))
		api_reject(d->native, call, 404, ERR_NOT_FOUND);
	else
		api_handle_call(d->native, call);
}

static void reject_call(void *self, struct call *call, int status, enum err why)
{
	api_reject(((struct daemon *) self)->native, call, status, why);
}

static const struct http_face door_face = {
	.name = "control", .handle = handle_call, .reject = reject_call, .body_cap_size = API_BODY_CAP_SIZE};

static RESULT bind_socket(struct ctx *c, const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return ctx_fail(c, ERR_INVALID, "control.socket: %s is longer than a socket's path may be",
				path);
	memcpy(address.sun_path, path, strlen(path));
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* The database lock proves that no other server runs, so an existing socket is stale. */
	int error = fd >= 0 ? 0 : errno; /* unlink() below overwrites errno */
	(void) unlink(path);
	mode_t before = umask(0177);
	if (!error &&
	    (bind(fd, (struct sockaddr *) &address, sizeof address) != 0 || listen(fd, BACKLOG) != 0))
		error = errno;
	(void) umask(before);
	if (error)
		return ctx_fail(c, ERR_IO, "cannot listen on %s: %s", path, strerrordesc_np(error));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

RESULT control_new(struct ctx *c, struct daemon *d, struct control **ret_control)
{
	struct control *control = heap_new(struct control);
	if (!control)
		return ctx_no_memory(c);
	control->commands = (struct native_commands){.self = d,
						     .run = run_command,
						     .forget_host = forget_host,
						     .threads = {.start = start_running, .self = control}};
	*ret_control = control;
	return OK;
}

const struct native_commands *control_commands(const struct control *control)
{
	return &control->commands;
}

RESULT control_listen(struct ctx *c, struct daemon *d, struct control *control)
{
	const char *path = str_to_z(c->arena, d->settings.control_socket);
	const char *slash = strrchr(path, '/');
	struct http_where where = {.tag = (void *) native_operators_door, .is_reserved = true};
	struct http_listener *listener = NULL;
	if (slash && slash != path)
		TRY(file_make_directory(c, str_print(c->arena, "%.*s", (int) (slash - path), path).p, 0755));
	TRY(bind_socket(c, path, &where.fd));
	control->path = heap_copy_z(path);
	struct result result = http_listen(d->http, c, &door_face, d, &where, &listener);
	if (!result_is_ok(result))
		(void) close(where.fd);
	return result;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	if (control->path)
		(void) unlink(control->path);
	while (atomic_load(&control->running) > 0)
		(void) poll(NULL, 0, 5);
	heap_free(control->path);
	heap_free(control);
}
