/* SPDX-License-Identifier: Apache-2.0
 * The control socket: the `dari` commands' way in. A unix socket; whoever connects must be root or
 * the server's own user (SO_PEERCRED). One JSON object in, one out, a thread for each connection. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "daemon/command.h"

enum {
	CONNECTIONS_MAX = 32,
	REQUEST_CAP = 256 * 1024,
	REQUEST_TIMEOUT_MS = 10000,
	CALL_ARENA_CAP = 64 * 1024 * 1024
};

struct control {
	struct daemon *daemon;
	int fd;
	char *path;
	pthread_t thread;
	_Atomic bool stopping;
	_Atomic int connections;
};

struct connection {
	struct control *control;
	int fd;
};

static bool peer_is_allowed(struct command_call *call, int fd)
{
	struct ucred peer = {0};
	socklen_t size = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	call->from = str_print(call->ctx.arena, "unix:uid=%u,pid=%d", (unsigned) peer.uid, (int) peer.pid);
	return peer.uid == 0 || peer.uid == getuid();
}

/* One line up to the cap and the time limit. */
static RESULT read_request(struct ctx *c, int fd, struct str *ret_line)
{
	struct buf line;
	buf_init(&line, REQUEST_CAP);
	int64_t deadline_us = clock_monotonic_us() + REQUEST_TIMEOUT_MS * MILLISECOND;
	struct result result = FAIL(IO);
	for (;;) {
		int left_ms = (int) ((deadline_us - clock_monotonic_us()) / MILLISECOND);
		struct pollfd p = {.fd = fd, .events = POLLIN};
		char piece[4096];
		ssize_t n = left_ms > 0 && poll(&p, 1, left_ms) > 0 ? read(fd, piece, sizeof piece) : 0;
		if (n <= 0)
			break;
		buf_add(&line, piece, (size_t) n);
		if (line.failed || memchr(piece, '\n', (size_t) n)) {
			result = buf_finish(&line);
			break;
		}
	}
	if (result_is_ok(result))
		*ret_line = str_copy(c->arena, buf_str(&line));
	buf_done(&line);
	return result;
}

static void write_all(int fd, struct str bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* the client is gone; what was done stays done */
		bytes = str_slice(bytes, (size_t) n, bytes.n);
	}
}

static RESULT run_root(struct command_call *call, json_t *root)
{
	const char *words = json_string_value(json_object_get(root, "command"));
	const struct command *command = words ? command_find(str_from(words)) : NULL;
	if (!command || !command->run)
		return ctx_fail(&call->ctx, ERR_UNKNOWN, "no such command: %s", words ? words : "(none)");
	call->args = json_object_get(root, "args");
	command_begin_audit(call, command);
	return command_end_audit(call, command->run(call));
}

static RESULT run_call(struct command_call *call, struct str line)
{
	json_error_t where;
	json_t *root = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &where);
	struct result result = run_root(call, root);
	json_decref(root);
	return result;
}

static json_t *make_answer(struct command_call *call, struct result result)
{
	json_t *answer = json_object();
	if (!result_is_ok(result)) {
		struct str words = call->ctx.problem.message.n ? call->ctx.problem.message
							       : str_from(err_meaning(result.code));
		(void) json_object_set_new(answer, "error", json_string(err_name(result.code)));
		(void) json_object_set_new(answer, "message", json_stringn(words.p, words.n));
		return answer;
	}
	(void) json_object_set_new(answer, "status", json_integer(call->status));
	(void) json_object_set_new(answer, "text",
				   json_stringn(call->text.p ? call->text.p : "", call->text.size));
	(void) json_object_set(answer, "value", call->value ? call->value : json_null());
	if (call->files)
		(void) json_object_set(answer, "files", call->files);
	if (call->more) {
		(void) json_object_set(answer, "more", call->more);
		(void) json_object_set_new(answer, "waits", json_boolean(call->waits));
	}
	return answer;
}

static void serve_connection(struct control *control, int fd)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, CALL_ARENA_CAP);
	if (!arena)
		return;
	struct command_call call;
	command_call_init(&call, control->daemon, arena);
	struct str line = STR_NONE;
	struct result result = peer_is_allowed(&call, fd)
				       ? read_request(&call.ctx, fd, &line)
				       : ctx_fail(&call.ctx, ERR_DENIED,
						  "only root and dari's own user may use the control socket");
	if (result_is_ok(result))
		result = run_call(&call, line);
	json_t *answer = make_answer(&call, result);
	char *text = json_dumps(answer, JSON_COMPACT);
	write_all(fd, str_from(text));
	write_all(fd, STR("\n"));
	heap_free(text); /* jansson allocates by ours: daemon_run() */
	json_decref(answer);
	command_call_done(&call);
}

static void *connection_main(void *data)
{
	struct connection *connection = data;
	serve_connection(connection->control, connection->fd);
	(void) close(connection->fd);
	atomic_fetch_sub(&connection->control->connections, 1);
	heap_free(connection);
	return NULL;
}

static void start_connection(struct control *control, int fd)
{
	struct connection *connection = heap_new(struct connection);
	pthread_t thread;
	if (connection && atomic_load(&control->connections) < CONNECTIONS_MAX) {
		*connection = (struct connection){control, fd};
		atomic_fetch_add(&control->connections, 1);
		if (pthread_create(&thread, NULL, connection_main, connection) == 0) {
			(void) pthread_detach(thread);
			return;
		}
		atomic_fetch_sub(&control->connections, 1);
	}
	heap_free(connection);
	(void) close(fd);
}

static void *control_main(void *data)
{
	struct control *control = data;
	while (!atomic_load(&control->stopping)) {
		struct pollfd p = {.fd = control->fd, .events = POLLIN};
		if (poll(&p, 1, -1) <= 0)
			continue;
		int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			start_connection(control, fd);
	}
	return NULL;
}

static RESULT listen_on(struct ctx *c, const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return ctx_fail(c, ERR_INVALID, "control.socket: %s is longer than a socket's path may be",
				path);
	memcpy(address.sun_path, path, strlen(path));
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* The database's lock has told that no other server runs: a socket left here is stale. */
	(void) unlink(path);
	mode_t before = umask(0177);
	bool bound =
		fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof address) == 0 && listen(fd, 16) == 0;
	(void) umask(before);
	if (!bound)
		return ctx_fail(c, ERR_IO, "cannot listen on %s: %s", path, strerror(errno));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

RESULT control_open(struct ctx *c, struct daemon *d, struct control **ret_control)
{
	const char *path = str_to_z(c->arena, d->settings.control_socket);
	const char *slash = strrchr(path, '/');
	if (slash && slash != path)
		TRY(file_make_directory(c, str_print(c->arena, "%.*s", (int) (slash - path), path).p, 0755));
	struct control *control = heap_new(struct control);
	if (!control)
		return ctx_no_memory(c);
	control->daemon = d;
	control->path = heap_copy_z(path);
	struct result result = listen_on(c, path, &control->fd);
	if (result_is_ok(result) && pthread_create(&control->thread, NULL, control_main, control) != 0)
		result = ctx_no_memory(c);
	if (!result_is_ok(result)) {
		heap_free(control->path);
		heap_free(control);
		return result;
	}
	*ret_control = control;
	return OK;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	atomic_store(&control->stopping, true);
	(void) shutdown(control->fd, SHUT_RDWR); /* wakes the poll */
	(void) pthread_join(control->thread, NULL);
	(void) close(control->fd);
	(void) unlink(control->path);
	while (atomic_load(&control->connections) > 0)
		(void) poll(NULL, 0, 5);
	heap_free(control->path);
	heap_free(control);
}
