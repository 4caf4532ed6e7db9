/* SPDX-License-Identifier: Apache-2.0
 * Files in which received reports wait (access_journal.h). */
#include "reconcile/balancing/access_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk_room.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/vec.h"

#define HEAD_MARK "dari-access-1"
/* The head of a load balancer with connection logs has, behind the name, a number of LOGS_… and their prefix ("/": none). */
#define CONNECTION_HEAD_MARK "dari-access-2"
enum { LOGS_REQUESTS = 1, LOGS_CONNECTIONS = 2 };
enum { PATH_SIZE = 4096, NAME_SIZE = 96, HEAD_SIZE = 1024, HEAD_WORDS = 9, NAME_PARTS = 3 };

struct access_journal {
	char *directory;  /* owned */
	int64_t start_us; /* of this process, in names */
	int64_t told_us;  /* time of the log's last line about a failure */
};

struct access_journal *access_journal_new(const char *directory)
{
	struct access_journal *j = heap_new(struct access_journal);
	if (j && !(j->directory = heap_copy_z(directory))) {
		heap_free(j);
		return NULL;
	}
	if (j)
		j->start_us = clock_now_us();
	return j;
}

void access_journal_free(struct access_journal *j)
{
	if (!j)
		return;
	heap_free(j->directory);
	heap_free(j);
}

static void write_path(const struct access_journal *j, uuid proxy, int64_t number, char out[static PATH_SIZE])
{
	char text[UUID_TEXT_SIZE];
	snprintf(out, PATH_SIZE, "%s/%s.%020" PRId64 ".%010" PRId64, j->directory, uuid_write(proxy, text),
		 j->start_us, number);
}

/* ---- writing ---- */

/* A disk that is nearly full fails and works in turn, so the log gets a line a minute. */
static void report_failure(struct access_journal *j, const char *action)
{
	int problem = errno;
	int64_t now_us = clock_now_us();
	if (now_us >= j->told_us && now_us - j->told_us < MINUTE)
		return;
	j->told_us = now_us;
	log_event(LOG_ERROR, "access-log-files-failed", "action=%s directory=%s message=%s", action,
		  log_quote(str_from(j->directory)), log_quote(str_from(strerrordesc_np(problem))));
}

static bool write_all(int fd, struct str bytes)
{
	for (size_t at = 0; at < bytes.n;) {
		ssize_t written = write(fd, bytes.p + at, bytes.n - at);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		at += (size_t) written;
	}
	return true;
}

/* A full disk may take half of a line, which the next one would be appended to. */
static bool append(struct access_file *file, struct str bytes)
{
	if (write_all(file->fd, bytes)) {
		file->size += (int64_t) bytes.n;
		return true;
	}
	int problem = errno;
	if (ftruncate(file->fd, file->size) != 0)
		access_journal_end(file);
	errno = problem;
	return false;
}

static bool begin_file(struct access_journal *j, const struct access_subject *s, int64_t from_us,
		       struct access_file *file, struct access_files *files)
{
	char path[PATH_SIZE], head[HEAD_SIZE], balancer[UUID_TEXT_SIZE], account[UUID_TEXT_SIZE],
		ip[IP_TEXT_SIZE];
	char more[ACCESS_PREFIX_SIZE + 8] = "";
	if (s->logs_connections)
		snprintf(more, sizeof more, "%d %s ",
			 LOGS_CONNECTIONS + (s->logs_requests ? LOGS_REQUESTS : 0),
			 *s->connection_prefix ? s->connection_prefix : "/");
	int size = snprintf(head, sizeof head, "%s %s %s %" PRId64 " %" PRId64 " %s %d %s %s %s %s%s\n",
			    s->logs_connections ? CONNECTION_HEAD_MARK : HEAD_MARK,
			    uuid_write(s->balancer, balancer), uuid_write(s->account, account), from_us,
			    s->interval_us, ip_is_none(s->ip) ? "-" : ip_write(s->ip, ip), (int) s->form,
			    s->number, s->region, s->name, more, s->prefix);
	if (mkdir(j->directory, 0700) != 0 && errno != EEXIST)
		return false;
	write_path(j, s->proxy, files->next, path);
	file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	file->size = 0;
	if (file->fd < 0)
		return false;
	if (append(file, (struct str){head, (size_t) size})) {
		files->next++;
		return true;
	}
	int problem = errno;
	(void) unlink(path); /* a disk that stays full would have an empty file for each report */
	access_journal_end(file);
	errno = problem;
	return false;
}

/* False as well if somebody deleted the file. */
static bool is_there(const struct access_file *file)
{
	struct stat seen;
	return file->fd >= 0 && fstat(file->fd, &seen) == 0 && seen.st_nlink > 0;
}

void access_journal_add(struct access_journal *j, const struct access_subject *subject, int64_t from_us,
			struct access_file *file, struct access_files *files, struct str lines)
{
	if (!j || !lines.n)
		return;
	if (!is_there(file))
		access_journal_end(file);
	if (disk_room_is_low(j->directory)) { /* the rest is the database's */
		errno = ENOSPC;
		report_failure(j, "write");
		return;
	}
	if (file->fd < 0 && !begin_file(j, subject, from_us, file, files)) {
		report_failure(j, "open");
		return;
	}
	if (!append(file, lines))
		report_failure(j, "write");
}

void access_journal_end(struct access_file *file)
{
	if (file->fd >= 0)
		(void) close(file->fd);
	file->fd = -1;
}

void access_journal_delete(struct access_journal *j, uuid proxy, struct access_files files)
{
	char path[PATH_SIZE];
	for (int64_t k = files.first; j && k < files.next; k++) {
		write_path(j, proxy, k, path);
		if (unlink(path) != 0 && errno != ENOENT)
			report_failure(j, "delete");
	}
}

/* ---- files of former processes ---- */

static bool take_word(struct str *rest, struct str *ret_word)
{
	return str_split_next(rest, ' ', ret_word) && ret_word->n > 0;
}

static bool copy_word(char *out, size_t room, struct str word)
{
	return snprintf(out, room, "%" STR_FMT, STR_ARG(word)) < (int) room;
}

/* "MARK BALANCER ACCOUNT FROM INTERVAL ADDRESS FORM": the words before those that are copied. */
static bool read_words(const struct str words[static HEAD_WORDS], struct access_subject *s,
		       int64_t *ret_from_us)
{
	int64_t form = 0;
	s->logs_connections = str_is(words[0], CONNECTION_HEAD_MARK);
	s->logs_requests = !s->logs_connections;
	if ((!s->logs_connections && !str_is(words[0], HEAD_MARK)) ||
	    !result_is_ok(uuid_parse(words[1], &s->balancer)) ||
	    !result_is_ok(uuid_parse(words[2], &s->account)) ||
	    !result_is_ok(str_parse_int(words[3], ret_from_us)) ||
	    !result_is_ok(str_parse_int(words[4], &s->interval_us)) || s->interval_us <= 0 ||
	    (!str_is(words[5], "-") && !result_is_ok(ip_parse(words[5], &s->ip))) ||
	    !result_is_ok(str_parse_int(words[6], &form)) || form < ACCESS_APPLICATION ||
	    form > ACCESS_NETWORK)
		return false;
	s->form = (enum access_form) form;
	return true;
}

static bool read_connections(struct str *rest, struct access_subject *s)
{
	struct str logs = STR_NONE, prefix = STR_NONE;
	int64_t flags = 0;
	if (!s->logs_connections)
		return true;
	if (!take_word(rest, &logs) || !result_is_ok(str_parse_int(logs, &flags)) ||
	    !take_word(rest, &prefix))
		return false;
	s->logs_requests = flags & LOGS_REQUESTS;
	return copy_word(s->connection_prefix, sizeof s->connection_prefix,
			 str_is(prefix, "/") ? STR_NONE : prefix);
}

/* The prefix is the rest of the line, and may be empty. */
static bool read_head(struct str line, struct access_subject *s, int64_t *ret_from_us)
{
	struct str words[HEAD_WORDS], prefix = line, name = STR_NONE;
	for (size_t k = 0; k < HEAD_WORDS; k++)
		if (!take_word(&prefix, &words[k]))
			return false;
	return read_words(words, s, ret_from_us) && copy_word(s->number, sizeof s->number, words[7]) &&
	       copy_word(s->region, sizeof s->region, words[8]) && take_word(&prefix, &name) &&
	       copy_word(s->name, sizeof s->name, name) && read_connections(&prefix, s) &&
	       copy_word(s->prefix, sizeof s->prefix, prefix);
}

struct found {
	char name[NAME_SIZE];
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct found *) a)->name, ((const struct found *) b)->name);
}

/* The proxy in "PROXY.START.NUMBER". False: some other file. */
static bool read_name(const char *name, uuid *ret_proxy)
{
	struct str rest = str_from(name), parts[NAME_PARTS];
	for (size_t k = 0; k < NAME_PARTS; k++)
		if (!str_split_next(&rest, '.', &parts[k]))
			return false;
	return !rest.n && result_is_ok(uuid_parse(parts[0], ret_proxy));
}

static RESULT list_files(const struct access_journal *j, struct ctx *c, struct found **ret_files,
			 size_t *ret_count)
{
	VEC(struct found) files = {0};
	DIR *directory = opendir(j->directory);
	const struct dirent *entry = NULL;
	bool has_all = true;
	uuid proxy;
	while (directory && has_all && (entry = readdir(directory))) {
		struct found one;
		if (strlen(entry->d_name) >= sizeof one.name || !read_name(entry->d_name, &proxy))
			continue;
		snprintf(one.name, sizeof one.name, "%s", entry->d_name);
		has_all = VEC_PUSH(c->arena, &files, one);
	}
	if (directory)
		(void) closedir(directory);
	if (!has_all)
		return ctx_no_memory(c);
	if (files.count)
		qsort(files.at, files.count, sizeof *files.at, compare_names);
	*ret_files = files.at;
	*ret_count = files.count;
	return OK;
}

/* The process may have been killed within the last line. */
static struct str whole_lines(struct str text)
{
	while (text.n && text.p[text.n - 1] != '\n')
		text.n--;
	return text;
}

/* A file with a damaged first line stays, for people to look at. */
static RESULT restore_file(struct access_journal *j, struct ctx *c, const char *name,
			   access_restored *restored, void *arg)
{
	struct access_subject subject = {0};
	struct access_files *files = NULL;
	struct str rest = STR_NONE, head = STR_NONE;
	int64_t from_us = 0;
	char next[PATH_SIZE];
	const char *path = str_to_z(c->arena, str_print(c->arena, "%s/%s", j->directory, name));
	TRY(file_read(c, path, ACCESS_OF_ONE + HEAD_SIZE, &rest));
	rest = whole_lines(rest);
	if (!rest.n)
		return file_delete(c, path);
	if (!read_name(name, &subject.proxy) || !str_split_next(&rest, '\n', &head) ||
	    !read_head(head, &subject, &from_us))
		return ctx_fail(c, ERR_INVALID, "the first line of %s names no load balancer", path);
	if (!restored(arg, &subject, from_us, rest, &files))
		return ctx_fail(c, ERR_CAPACITY, "there is no room for the requests in %s", path);
	write_path(j, subject.proxy, files->next, next);
	if (rename(path, next) != 0)
		return ctx_fail(c, ERR_IO, "cannot rename %s: %s", path, strerrordesc_np(errno));
	files->next++;
	return OK;
}

RESULT access_journal_restore(struct access_journal *j, struct ctx *c, access_restored *restored, void *arg)
{
	struct found *files = NULL;
	size_t count = 0;
	TRY(list_files(j, c, &files, &count));
	for (size_t k = 0; k < count; k++) {
		AUTO(arena) arena = arena_new(HEAD_SIZE, 2 * ACCESS_OF_ONE);
		struct ctx one;
		ctx_init(&one, arena);
		if (!arena)
			return ctx_no_memory(c);
		if (!result_is_ok(restore_file(j, &one, files[k].name, restored, arg)))
			log_event(LOG_ERROR, "access-log-file-kept", "message=%s",
				  log_quote(one.problem.message));
	}
	return OK;
}
