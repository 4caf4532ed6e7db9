/* SPDX-License-Identifier: Apache-2.0
 * The S3 service of the tests: one thread, one request at a time. */
#include "s3_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crypto.h"

enum { OBJECTS_MAX = 256, HEAD_MAX = 8192, BODY_MAX = 8 << 20 };

struct object {
	char name[512];
	char *bytes; /* NULL: the place is free */
	size_t size;
};

struct s3_server {
	pthread_t thread;
	pthread_mutex_t lock;
	int fd, port, failures;
	char bucket[64];
	struct object objects[OBJECTS_MAX];
};

static struct object *find(struct s3_server *s, const char *name)
{
	for (size_t k = 0; k < OBJECTS_MAX; k++)
		if (s->objects[k].bytes && strcmp(s->objects[k].name, name) == 0)
			return &s->objects[k];
	return NULL;
}

static void answer(int fd, const char *status, const char *body, size_t size)
{
	char head[256];
	int n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
			 status, size);
	(void) !write(fd, head, (size_t) n);
	while (size) {
		ssize_t sent = write(fd, body, size);
		if (sent <= 0)
			return;
		body += sent;
		size -= (size_t) sent;
	}
}

static void list(struct s3_server *s, int fd, const char *query)
{
	char prefix[512] = {0}, *out = calloc(1, OBJECTS_MAX * 600), *at = out;
	const char *given = strstr(query, "prefix=");
	int groups = strstr(query, "delimiter=%2F") != NULL;
	size_t n = 0;
	for (const char *p = given ? given + 7 : ""; *p && n < sizeof prefix - 1; p++)
		if (strncmp(p, "%2F", 3) == 0) {
			prefix[n++] = '/';
			p += 2;
		} else
			prefix[n++] = *p;
	at += sprintf(at, "<ListBucketResult><Prefix>%s</Prefix>", prefix);
	for (size_t k = 0; k < OBJECTS_MAX; k++) {
		const char *name = s->objects[k].name;
		if (!s->objects[k].bytes || strncmp(name, prefix, n) != 0)
			continue;
		const char *slash = groups ? strchr(name + n, '/') : NULL;
		char group[600];
		if (!slash) {
			at += sprintf(at, "<Contents><Key>%s</Key></Contents>", name);
			continue;
		}
		sprintf(group, "<CommonPrefixes><Prefix>%.*s</Prefix></CommonPrefixes>",
			(int) (slash + 1 - name), name);
		if (!strstr(out, group))
			at += sprintf(at, "%s", group);
	}
	at += sprintf(at, "</ListBucketResult>");
	answer(fd, "200 OK", out, (size_t) (at - out));
	free(out);
}

static void put(struct s3_server *s, int fd, const char *name, const char *body, size_t size)
{
	struct object *o = find(s, name);
	for (size_t k = 0; !o && k < OBJECTS_MAX; k++)
		if (!s->objects[k].bytes)
			o = &s->objects[k];
	if (!o) {
		answer(fd, "507 Full", "", 0);
		return;
	}
	free(o->bytes);
	snprintf(o->name, sizeof o->name, "%s", name);
	o->bytes = malloc(size + 1);
	memcpy(o->bytes, body, size);
	o->size = size;
	answer(fd, "200 OK", "", 0);
}

static void serve(struct s3_server *s, int fd, const char *method, const char *name, const char *body,
		  size_t size)
{
	struct object *o = find(s, name);
	if (strcmp(method, "PUT") == 0)
		put(s, fd, name, body, size);
	else if (strcmp(method, "DELETE") == 0) {
		if (o) {
			free(o->bytes);
			o->bytes = NULL;
		}
		answer(fd, "204 No Content", "", 0);
	} else if (o)
		answer(fd, "200 OK", o->bytes, o->size);
	else
		answer(fd, "404 Not Found", "<Error><Code>NoSuchKey</Code></Error>", 37);
}

/* S3 refuses a signature of headers that were not sent. */
static int are_sent(const char *head, const char *names)
{
	char line[256];
	for (size_t n; *names && *names != ','; names += n + (names[n] == ';')) {
		n = strcspn(names, ";,");
		if (n + 4 > sizeof line)
			return 0;
		sprintf(line, "\r\n%.*s:", (int) n, names);
		if (!strcasestr(head, line))
			return 0;
	}
	return 1;
}

/* Signed for S3 in that region by that key, with the body's digest among what is signed. */
static int is_signed(const char *head, const char *body, size_t size)
{
	unsigned char digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1] = {0};
	crypto_sha256((struct str){body, size}, digest);
	for (size_t k = 0; k < SHA256_SIZE; k++)
		sprintf(hex + 2 * k, "%02x", digest[k]);
	const char *credential = strstr(head, "Authorization: AWS4-HMAC-SHA256 Credential=KEYID/");
	const char *names = credential ? strstr(credential, "SignedHeaders=") : NULL;
	return names && are_sent(head, names + strlen("SignedHeaders=")) &&
	       strstr(credential, "/here-1/s3/aws4_request") && strstr(credential, "x-amz-content-sha256") &&
	       strstr(head, hex);
}

static void take(struct s3_server *s, int fd)
{
	static char head[HEAD_MAX + 1], body[BODY_MAX];
	char method[16] = {0}, path[1024] = {0};
	size_t n = 0, length = 0, got = 0;
	char *end = NULL;
	while (n < HEAD_MAX && !end) {
		ssize_t more = read(fd, head + n, HEAD_MAX - n);
		if (more <= 0)
			return;
		n += (size_t) more;
		head[n] = 0;
		end = strstr(head, "\r\n\r\n");
	}
	if (!end)
		return;
	const char *given = strcasestr(head, "\r\nContent-Length:");
	length = given ? strtoul(given + 17, NULL, 10) : 0;
	got = n - (size_t) (end + 4 - head);
	memcpy(body, end + 4, got);
	*end = 0;
	while (got < length && length <= BODY_MAX) {
		ssize_t more = read(fd, body + got, length - got);
		if (more <= 0)
			return;
		got += (size_t) more;
	}
	sscanf(head, "%15s %1023s", method, path);
	char *query = strchr(path, '?');
	size_t bucket = strlen(s->bucket);
	if (query)
		*query++ = 0;
	if (s->failures > 0 && s->failures--)
		answer(fd, "503 Slow Down", "<Error><Code>SlowDown</Code></Error>", 36);
	else if (!is_signed(head, body, got))
		answer(fd, "403 Forbidden", "<Error><Code>SignatureDoesNotMatch</Code></Error>", 49);
	else if (strncmp(path + 1, s->bucket, bucket) != 0)
		answer(fd, "404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>", 40);
	else if (query)
		list(s, fd, query);
	else
		serve(s, fd, method, path + 1 + bucket + 1, body, got);
}

static void *run(void *arg)
{
	struct s3_server *s = arg;
	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		pthread_mutex_lock(&s->lock);
		take(s, fd);
		pthread_mutex_unlock(&s->lock);
		close(fd);
	}
}

struct s3_server *s3_server_start(const char *bucket)
{
	struct s3_server *s = calloc(1, sizeof *s);
	struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof where;
	snprintf(s->bucket, sizeof s->bucket, "%s", bucket);
	pthread_mutex_init(&s->lock, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s->fd, (struct sockaddr *) &where, sizeof where) != 0 || listen(s->fd, 16) != 0 ||
	    getsockname(s->fd, (struct sockaddr *) &where, &size) != 0)
		abort();
	s->port = ntohs(where.sin_port);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		abort();
	return s;
}

void s3_server_end(struct s3_server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	for (size_t k = 0; k < OBJECTS_MAX; k++)
		free(s->objects[k].bytes);
	free(s);
}

int s3_server_port(const struct s3_server *s)
{
	return s->port;
}

size_t s3_server_count(struct s3_server *s)
{
	size_t count = 0;
	pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < OBJECTS_MAX; k++)
		count += s->objects[k].bytes != NULL;
	pthread_mutex_unlock(&s->lock);
	return count;
}

void s3_server_fail(struct s3_server *s, int requests)
{
	pthread_mutex_lock(&s->lock);
	s->failures = requests;
	pthread_mutex_unlock(&s->lock);
}
