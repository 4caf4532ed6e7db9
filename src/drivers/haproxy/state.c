/* SPDX-License-Identifier: Apache-2.0
 * HAProxy's runtime API: one command a connection. Source: HAProxy Management Guide 2.6, "Unix Socket commands" and
 * "CSV format". */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "drivers/haproxy/haproxy.h"
#include "model/target_group.h"

enum { ANSWER_CAP = 16 * 1024 * 1024, ANSWER_TIMEOUT_S = 5, READ_SIZE = 4096 };

/* The directory's path may be longer than a socket's may, so the name goes by its descriptor. */
static RESULT connect_to(struct ctx *c, const struct proxy_place *place, int *ret_fd)
{
	const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	AUTO_FD directory = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/sock", directory);
	if (directory < 0 || fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
	    connect(fd, (const struct sockaddr *) &at, sizeof at) != 0)
		return ctx_fail(c, ERR_GONE, "the proxy's process does not answer");
	*ret_fd = fd;
	fd = -1;
	return OK;
}

RESULT state_ask(struct ctx *c, const struct proxy_place *place, const char *command, struct str *ret_answer)
{
	AUTO_FD fd = -1;
	char bytes[READ_SIZE];
	struct buf answer;
	TRY(connect_to(c, place, &fd));
	buf_init(&answer, ANSWER_CAP);
	struct str line = str_print(c->arena, "%s\n", command);
	ssize_t size = send(fd, line.p, line.n, MSG_NOSIGNAL);
	while (size > 0 && (size = recv(fd, bytes, sizeof bytes, 0)) > 0)
		buf_add(&answer, bytes, (size_t) size);
	bool is_whole = size == 0 && buf_finish(&answer).code == ERR_NONE;
	*ret_answer = is_whole ? str_copy(c->arena, buf_str(&answer)) : STR_NONE;
	buf_done(&answer);
	return is_whole ? OK : ctx_fail(c, ERR_GONE, "the proxy's process does not answer");
}

/* ---- show stat ---- */

enum { COLUMNS_MAX = 8 };
struct columns {
	const char *const *names;
	size_t count;
	size_t at[COLUMNS_MAX];
};

static bool find_columns(struct str header, struct columns *columns)
{
	struct str name = STR_NONE;
	size_t found = 0;
	if (str_starts_with(header, STR("# ")))
		header = str_slice(header, 2, header.n);
	for (size_t k = 0; str_split_next(&header, ',', &name); k++)
		for (size_t n = 0; n < columns->count; n++)
			if (str_is(name, columns->names[n])) {
				columns->at[n] = k;
				found++;
			}
	return found == columns->count;
}

static void read_fields(struct str line, const struct columns *columns, struct str out[static COLUMNS_MAX])
{
	struct str field = STR_NONE;
	for (size_t k = 0; str_split_next(&line, ',', &field); k++)
		for (size_t n = 0; n < columns->count; n++)
			if (columns->at[n] == k)
				out[n] = field;
}

/* Reads a name such as "t0123456789abcdef0123456789abcdef". */
static bool read_name(struct str name, char first, uuid *ret_id)
{
	return name.n == 1 + 2 * sizeof(uuid) && name.p[0] == first &&
	       result_is_ok(str_decode_hex(str_slice(name, 1, name.n), ret_id->b, sizeof ret_id->b));
}

/* ---- servers ---- */

enum { COLUMN_BACKEND, COLUMN_SERVER, COLUMN_STATUS, COLUMN_CHECK, COLUMN_CODE, COLUMNS };
static const char *const server_columns[COLUMNS] = {[COLUMN_BACKEND] = "pxname",
						    [COLUMN_SERVER] = "svname",
						    [COLUMN_STATUS] = "status",
						    [COLUMN_CHECK] = "check_status",
						    [COLUMN_CODE] = "check_code"};

/* HAProxy's words of a check: L4CON, L4TOUT, L6RSP, L7OK, L7STS, L7TOUT, …; INI before the first. */
static void read_check(struct str word, struct proxy_server_state *state)
{
	if (str_starts_with(word, STR("* "))) /* a check is under way; the word is the last one's */
		word = str_slice(word, 2, word.n);
	bool has_succeeded = word.n > 2 && str_is(str_slice(word, word.n - 2, word.n), "OK");
	state->is_rising = state->health == PROXY_DOWN && has_succeeded;
	if (str_is(word, "INI") || str_is(word, "UNK") || !word.n)
		state->health = PROXY_UNCHECKED;
	else if (state->health == PROXY_UP)
		state->fault = PROXY_FAULT_NONE;
	else if (str_is(word, "L7STS"))
		state->fault = PROXY_FAULT_MISMATCH;
	else if (word.n > 4 && str_is(str_slice(word, word.n - 4, word.n), "TOUT"))
		state->fault = PROXY_FAULT_TIMEOUT;
	else
		state->fault = PROXY_FAULT_FAILED;
}

/* False: the line is not a checked server's. */
static bool read_line(struct str line, const struct columns *columns, struct proxy_server_state *ret_state)
{
	struct str fields[COLUMNS_MAX] = {{0}};
	read_fields(line, columns, fields);
	*ret_state = (struct proxy_server_state){0};
	if (!str_starts_with(fields[COLUMN_BACKEND], STR("g")) ||
	    !read_name(fields[COLUMN_SERVER], 't', &ret_state->target))
		return false;
	ret_state->health = str_starts_with(fields[COLUMN_STATUS], STR("UP")) ? PROXY_UP : PROXY_DOWN;
	read_check(fields[COLUMN_CHECK], ret_state);
	if (ret_state->fault == PROXY_FAULT_MISMATCH)
		IGNORE(str_parse_int(fields[COLUMN_CODE], &ret_state->code)); /* empty: unknown */
	return true;
}

RESULT state_read(struct ctx *c, struct str csv, struct proxy_server_state **ret_states, size_t *ret_count)
{
	VEC(struct proxy_server_state) states = {0};
	struct columns columns = {.names = server_columns, .count = COLUMNS};
	struct str line = STR_NONE;
	if (!str_split_next(&csv, '\n', &line) || !find_columns(line, &columns))
		return ctx_fail(c, ERR_GONE, "the proxy's statistics have no header");
	while (str_split_next(&csv, '\n', &line)) {
		struct proxy_server_state one;
		if (read_line(line, &columns, &one) && !VEC_PUSH(c->arena, &states, one))
			return ctx_no_memory(c);
	}
	*ret_states = states.at;
	*ret_count = states.count;
	return OK;
}

/* A line of the state file's version 1: the server is down, is not in maintenance, and has had no check. */
static void write_new(const struct proxy_server *server, const char *group, struct buf *out)
{
	char id[2 * sizeof server->target.b + 1], ip[IP_TEXT_SIZE];
	config_write_hex(server->target.b, sizeof server->target.b, id);
	buf_print(out, "0 %s 0 t%s %s 0 0 1 1 0 1 0 0 6 0 0 0 - %" PRId64 " - 0 0 - - 0\n", group, id,
		  ip_write(server->ip, ip), server->port);
}

static bool has_server(struct str states, const char *group, const struct proxy_server *server)
{
	struct str line = STR_NONE, field = STR_NONE;
	while (str_split_next(&states, '\n', &line)) {
		bool is_group = false;
		uuid target;
		for (size_t k = 0; k < 4 && str_split_next(&line, ' ', &field); k++) {
			is_group = is_group || (k == 1 && str_is(field, group));
			if (k == 3 && is_group && read_name(field, 't', &target) &&
			    uuid_equal(target, server->target))
				return true;
		}
	}
	return false;
}

RESULT state_add_new(struct ctx *c, const struct proxy_wish *wish, struct str states, struct str *ret_states)
{
	char name[CONFIG_GROUP_NAME_SIZE];
	struct buf out;
	buf_init(&out, ANSWER_CAP);
	buf_add_str(&out, str_trim(states));
	buf_add_char(&out, '\n');
	for (size_t k = 0; k < wish->group_count; k++) {
		const struct proxy_group *group = &wish->groups[k];
		config_group_name(group->group->row.id, name);
		for (size_t n = 0; n < group->server_count; n++)
			if (group->servers[n].is_new && !has_server(states, name, &group->servers[n]))
				write_new(&group->servers[n], name, &out);
	}
	struct result r = buf_finish(&out);
	if (result_is_ok(r))
		*ret_states = str_copy(c->arena, buf_str(&out));
	buf_done(&out);
	return r;
}

/* ---- listeners of Octavia ---- */

enum { FIGURE_NAME, FIGURE_ACTIVE, FIGURE_TOTAL, FIGURE_IN, FIGURE_OUT, FIGURE_ERRORS, FIGURES };
static const char *const figure_columns[FIGURES] = {
	[FIGURE_NAME] = "pxname", [FIGURE_ACTIVE] = "scur", [FIGURE_TOTAL] = "stot",
	[FIGURE_IN] = "bin",      [FIGURE_OUT] = "bout",    [FIGURE_ERRORS] = "ereq"};

/* False: the line is not a frontend of Octavia's. */
static bool read_figures(struct str line, const struct columns *columns,
			 struct proxy_listener_state *ret_state)
{
	struct str fields[COLUMNS_MAX] = {{0}};
	read_fields(line, columns, fields);
	return read_name(fields[FIGURE_NAME], 'l', &ret_state->listener) &&
	       result_is_ok(str_parse_int(fields[FIGURE_ACTIVE], &ret_state->active)) &&
	       result_is_ok(str_parse_int(fields[FIGURE_TOTAL], &ret_state->total)) &&
	       result_is_ok(str_parse_int(fields[FIGURE_IN], &ret_state->bytes_in)) &&
	       result_is_ok(str_parse_int(fields[FIGURE_OUT], &ret_state->bytes_out)) &&
	       result_is_ok(str_parse_int(fields[FIGURE_ERRORS], &ret_state->errors));
}

RESULT state_read_listeners(struct ctx *c, struct str answer, struct proxy_listener_state **ret_states,
			    size_t *ret_count)
{
	const struct str pid = STR("Pid: ");
	VEC(struct proxy_listener_state) states = {0};
	struct columns columns = {.names = figure_columns, .count = FIGURES};
	struct str line = STR_NONE;
	int64_t worker = 0;
	bool has_header = false;
	while (!has_header && str_split_next(&answer, '\n', &line)) {
		if (str_starts_with(line, pid))
			IGNORE(str_parse_int(str_slice(line, pid.n, line.n), &worker)); /* 0: checked below */
		has_header = find_columns(line, &columns);
	}
	if (!has_header || !worker)
		return ctx_fail(c, ERR_GONE, "the proxy's statistics have no header");
	while (str_split_next(&answer, '\n', &line)) {
		struct proxy_listener_state one = {.worker = worker};
		if (read_figures(line, &columns, &one) && !VEC_PUSH(c->arena, &states, one))
			return ctx_no_memory(c);
	}
	*ret_states = states.at;
	*ret_count = states.count;
	return OK;
}

/* ---- reports of requests ---- */

RESULT state_read_log(struct ctx *c, struct str answer, struct proxy_log_state *ret_state)
{
	const struct str pid = STR("Pid: "), lost = STR("DroppedLogs: ");
	struct str line = STR_NONE;
	*ret_state = (struct proxy_log_state){0};
	while (str_split_next(&answer, '\n', &line)) {
		if (str_starts_with(line, pid))
			IGNORE(str_parse_int(str_slice(line, pid.n, line.n),
					     &ret_state->worker)); /* 0: below */
		if (str_starts_with(line, lost))
			IGNORE(str_parse_int(str_slice(line, lost.n, line.n),
					     &ret_state->lost)); /* 0: none */
	}
	return ret_state->worker ? OK : ctx_fail(c, ERR_GONE, "the proxy's process does not answer");
}
