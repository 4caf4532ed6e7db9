/* SPDX-License-Identifier: Apache-2.0
 * Environments of child processes: see child_environment.h. A descendant may leave its process group, its session and its parent, as
 * the programs behind pseudo terminals do; the mark in its environment stays. */
#include "base/child_environment.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/random.h"

/* ROUNDS_MAX: looks at all processes, because one that is killed may just have created another. */
enum { READ_SIZE = 4096, ROUNDS_MAX = 50, PATH_SIZE = 300 };

static bool is_private(const char *variable)
{
	static const char *const heads[] = {
		"NOTIFY_SOCKET=", "CREDENTIALS_DIRECTORY=", "WATCHDOG_", "LISTEN_", "PG", "DARI_"};
	for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++)
		if (strncmp(variable, heads[k], strlen(heads[k])) == 0)
			return true;
	return false;
}

static void make_mark(char mark[static CHILD_MARK_SIZE])
{
	(void) snprintf(mark, CHILD_MARK_SIZE, "DARI_CHILD=%016llx%016llx", (unsigned long long) random_u64(),
			(unsigned long long) random_u64());
}

RESULT child_environment_make(struct ctx *c, bool is_marked, struct child_environment *ret_environment)
{
	size_t count = 0, kept = 0;
	while (environ && environ[count])
		count++;
	char **at = arena_new_array(c->arena, char *, count + 2);
	if (!at)
		return ctx_no_memory(c);
	*ret_environment = (struct child_environment){.at = at};
	for (size_t k = 0; k < count; k++)
		if (!is_private(environ[k]))
			at[kept++] = environ[k];
	if (is_marked) {
		make_mark(ret_environment->mark);
		at[kept++] = ret_environment->mark;
	}
	at[kept] = NULL;
	return OK;
}

/* ---- descendants ---- */

/* True if one of the file's texts, which end with NUL, is the mark. */
static bool has_text(int fd, const char *mark)
{
	char part[READ_SIZE];
	size_t size = strlen(mark) + 1, matched = 0;
	bool is_start = true;
	ssize_t got = 0;
	while ((got = read(fd, part, sizeof part)) > 0)
		for (ssize_t k = 0; k < got; k++) {
			if (is_start)
				matched = 0;
			is_start = part[k] == '\0';
			matched = matched < size && part[k] == mark[matched] ? matched + 1 : size + 1;
			if (matched == size)
				return true;
		}
	return false;
}

/* The descriptor names the process even if it ends and another one gets its number. */
static bool kill_marked(const char *number, const char *mark)
{
	char path[PATH_SIZE];
	AUTO_FD process = (int) syscall(SYS_pidfd_open, (pid_t) strtol(number, NULL, 10), 0U);
	(void) snprintf(path, sizeof path, "/proc/%s/environ", number);
	AUTO_FD file = process >= 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	return file >= 0 && has_text(file, mark) &&
	       syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0U) == 0;
}

/* A killed process has no environment any more, so that each round kills those alone that the last one missed. */
void child_environment_kill(const struct child_environment *environment)
{
	bool has_killed = environment->mark[0] != '\0';
	for (int round = 0; has_killed && round < ROUNDS_MAX; round++) {
		DIR *processes = opendir("/proc");
		const struct dirent *each = NULL;
		has_killed = false;
		while (processes && (each = readdir(processes)))
			if (each->d_name[0] >= '1' && each->d_name[0] <= '9')
				has_killed |= kill_marked(each->d_name, environment->mark);
		if (processes)
			(void) closedir(processes);
	}
}
