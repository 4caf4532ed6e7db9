/* SPDX-License-Identifier: Apache-2.0
 * The scripted server of ovsdb_scripted.h. */
#include "ovsdb_scripted.h"

#include "../base/test_base.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "drivers/ovsdb/frame.h"

#define CID "33333333-3333-3333-3333-333333333333"

static const struct ovsdb_column columns[] = {{"T", "name", OVSDB_TEXT, false}};
static const char *const roots[] = {"T", NULL};
const struct ovsdb_schema scripted_schema = {"Test", columns, 1, roots, "scope"};

static void say(int fd, const char *text)
{
	size_t n = strlen(text);
	for (size_t k = 0; k < n; k++) /* a byte at a time, as a slow network might */
		if (send(fd, text + k, 1, MSG_NOSIGNAL) < 0)
			return;
}

static void say_snapshot(struct server *s, int fd)
{
	char text[512];
	s->snapshots++;
	snprintf(
		text, sizeof text,
		"{\"id\":\"dari-monitor\",\"error\":null,\"result\":[false,\"x\",{\"T\":{\"" ROW
		"\":{\"initial\":{\"name\":\"%s\"}}}}]}{\"id\":\"e\",\"method\":\"echo\",\"params\":[\"}\"]}",
		s->name);
	say(fd, text);
}

/* Tells the server's row of _Server, in the form of ovsdb-server 3.1. */
static void say_state(const struct server *s, int fd, const char *opening, const char *kind,
		      const char *closing)
{
	char text[512];
	snprintf(
		text, sizeof text,
		"{%s{\"Database\":{\"22222222-2222-2222-2222-222222222222\":{\"%s\":{\"model\":\"clustered\","
		"\"connected\":%s,\"leader\":%s,\"cid\":[\"uuid\",\"%s\"],\"index\":%d}}}}%s}",
		opening, kind, s->role == CUT_OFF ? "false" : "true", s->role == LEADER ? "true" : "false",
		s->cid, s->index, closing);
	say(fd, text);
}

/* False: hang up. */
static bool answer_transaction(struct server *s, int fd, json_int_t id)
{
	char text[512];
	switch (s->manner) {
	case HANG_UP:
		return false;
	case SAY_NOTHING:
		return true;
	case TALK_RUBBISH:
		say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
		return true;
	case UPDATE_FIRST:
		say(fd,
		    "{\"id\":null,\"method\":\"update3\",\"params\":[\"dari-monitor\",\"y\",{\"T\":{\"" ROW
		    "\":{\"modify\":{\"name\":\"new\"}}}}]}");
		break;
	case ANSWER:
	case REFUSE:
		break;
	}
	snprintf(text, sizeof text, "{\"id\":%d,\"error\":null,\"result\":[%s]}", (int) id,
		 s->manner == REFUSE ? "null,{\"error\":\"constraint violation\",\"details\":\"why\"}"
				     : "{\"count\":1}");
	say(fd, text);
	return true;
}

static bool answer(struct server *s, int fd, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	bool stay = true;
	pthread_mutex_lock(&s->lock);
	if (s->role == MUTE)
		stay = true;
	else if (method && strcmp(method, "monitor_cond_since") == 0)
		say_snapshot(s, fd);
	else if (method && strcmp(method, "monitor_cond") == 0)
		say_state(s, fd, "\"id\":\"dari-server\",\"error\":null,\"result\":", "initial", "");
	else if (method && strcmp(method, "transact") == 0)
		stay = answer_transaction(s, fd, json_integer_value(json_object_get(message, "id")));
	else if (!method)
		s->echoes +=
			json_equal(json_object_get(message, "result"), json_object_get(message, "result")) &&
			json_is_array(json_object_get(message, "result"));
	pthread_mutex_unlock(&s->lock);
	return stay;
}

static bool is_stopping(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	bool stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return stop;
}

static enum role get_role(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	enum role role = s->role;
	pthread_mutex_unlock(&s->lock);
	return role;
}

static enum role announce(struct server *s, int fd)
{
	pthread_mutex_lock(&s->lock);
	enum role role = s->role;
	if (role != MUTE)
		say_state(s, fd, "\"id\":null,\"method\":\"update2\",\"params\":[\"dari-server\",", "modify",
			  "]");
	pthread_mutex_unlock(&s->lock);
	return role;
}

static void serve_one(struct server *s, int fd)
{
	struct frame frame;
	char text[4096], byte;
	size_t n = 0, used;
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	frame_init(&frame, sizeof text);
	enum role told = get_role(s);
	while (!is_stopping(s)) {
		if (get_role(s) != told)
			told = announce(s, fd);
		if (poll(&readable, 1, 20) <= 0)
			continue;
		if (recv(fd, &byte, 1, 0) != 1)
			return;
		text[n++] = byte;
		if (frame_feed(&frame, (struct str){&byte, 1}, &used) != FRAME_WHOLE)
			continue;
		json_t *message = json_loadb(text, n, 0, NULL);
		bool stay = answer(s, fd, message);
		json_decref(message);
		if (!stay)
			return;
		n = 0;
	}
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct pollfd readable = {.fd = s->listen_fd, .events = POLLIN};
	while (!is_stopping(s)) {
		if (poll(&readable, 1, 20) <= 0)
			continue;
		int fd = accept(s->listen_fd, NULL, NULL);
		pthread_mutex_lock(&s->lock);
		s->accepted++;
		pthread_mutex_unlock(&s->lock);
		serve_one(s, fd);
		close(fd);
	}
	return NULL;
}

void server_set_manner(struct server *s, enum manner manner, const char *name)
{
	pthread_mutex_lock(&s->lock);
	s->manner = manner;
	s->name = name;
	pthread_mutex_unlock(&s->lock);
}

void server_start(struct server *s, enum role role, const char *name)
{
	*s = (struct server){.directory = "/tmp/dari-ovsdb-XXXXXX", .role = role, .name = name, .cid = CID};
	assert_non_null(mkdtemp(s->directory));
	snprintf(s->path, sizeof s->path, "%s/sock", s->directory);
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	snprintf(at.sun_path, sizeof at.sun_path, "%s", s->path);
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listen_fd, (struct sockaddr *) &at, sizeof at), 0);
	assert_int_equal(listen(s->listen_fd, 8), 0);
	pthread_mutex_init(&s->lock, NULL);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

void server_stop(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	close(s->listen_fd);
	unlink(s->path);
	rmdir(s->directory);
	pthread_mutex_destroy(&s->lock);
}

void server_set_role(struct server *s, enum role role, int index)
{
	pthread_mutex_lock(&s->lock);
	s->role = role;
	s->index = index;
	pthread_mutex_unlock(&s->lock);
}

int server_count(struct server *s, const int *member)
{
	pthread_mutex_lock(&s->lock);
	int count = *member;
	pthread_mutex_unlock(&s->lock);
	return count;
}
