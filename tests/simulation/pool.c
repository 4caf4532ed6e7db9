/* SPDX-License-Identifier: Apache-2.0
 * Runs jobs in child processes: see pool.h. */
#include "pool.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/cloud/cloud.h"

enum { WORKERS_MAX = 64, SCRATCH_SIZE = 64 };

struct worker {
	pid_t pid; /* 0: free slot */
	uint64_t job;
	char scratch[SCRATCH_SIZE]; /* directory of the job's files, removed even if the job is killed */
	uint64_t ticks;             /* processor time at the last look */
	unsigned idle_looks;        /* consecutive looks without another tick */
};

/* Processor time, in ticks, of a process and of children that it has waited for: fields 14 to 17 of its stat
 * file. */
static uint64_t read_ticks(pid_t pid)
{
	char path[32], text[1024];
	(void) snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	(void) fclose(file);
	uint64_t ticks = 0;
	char *space = strrchr(text, ')'); /* a program's name may contain anything */
	for (int field = 3; space && field <= 17; field++) {
		space = strchr(space + 1, ' ');
		if (space && field >= 14)
			ticks += strtoull(space, NULL, 10);
	}
	return ticks;
}

/* Kills deadlocked jobs. Even on a busy machine a running job gets a tick now and then. */
static void end_idle(struct worker workers[static WORKERS_MAX])
{
	for (size_t k = 0; k < WORKERS_MAX; k++) {
		struct worker *w = &workers[k];
		if (!w->pid)
			continue;
		uint64_t ticks = read_ticks(w->pid);
		w->idle_looks = ticks > w->ticks ? 0 : w->idle_looks + 1;
		w->ticks = ticks;
		if (w->idle_looks >= POOL_IDLE_LOOKS)
			(void) kill(w->pid, SIGALRM);
	}
}

static void on_look(int number)
{
	(void) number; /* the signal only interrupts wait() */
}

/* Waits for the next job to end, and looks at the others meanwhile. */
static pid_t wait_for_one(struct worker workers[static WORKERS_MAX], int *ret_status)
{
	pid_t pid;
	struct sigaction look = {.sa_handler = on_look};
	(void) sigaction(SIGALRM, &look, NULL);
	(void) setitimer(ITIMER_REAL, &(struct itimerval){{POOL_LOOK_S, 0}, {POOL_LOOK_S, 0}}, NULL);
	while ((pid = wait(ret_status)) < 0 && errno == EINTR)
		end_idle(workers);
	(void) setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	return pid;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void) status;
	(void) type;
	(void) at;
	return remove(path);
}

static void remove_scratch(const struct worker *w)
{
	(void) nftw(w->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static pid_t begin(struct worker *w, uint64_t job, unsigned cpu_limit_s, void (*run)(uint64_t job))
{
	(void) fflush(stdout);
	(void) snprintf(w->scratch, sizeof w->scratch, "%s/dari-pool-XXXXXX", cloud_scratch());
	if (!mkdtemp(w->scratch)) {
		perror(w->scratch);
		exit(2);
	}
	pid_t child = fork();
	if (child == 0) {
		struct rlimit
			limit; /* only the soft limit: qemu-img, which the job runs, gets limits of its own */
		(void) getrlimit(RLIMIT_CPU, &limit);
		limit.rlim_cur = cpu_limit_s;
		(void) setrlimit(RLIMIT_CPU, &limit);
		(void) signal(SIGALRM, SIG_DFL);
		(void) setenv(CLOUD_SCRATCH, w->scratch, true);
		run(job);
		_exit(0);
	}
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	return child;
}

void pool_run(uint64_t count, unsigned cpu_limit_s, void (*run)(uint64_t job),
	      bool (*ended)(uint64_t job, int status))
{
	struct worker workers[WORKERS_MAX] = {0};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t size = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t) cores, running = 0;
	for (uint64_t next = 0; next < count || running;) {
		for (size_t k = 0; k < size && next < count; k++)
			if (!workers[k].pid) {
				workers[k].pid = begin(&workers[k], next, cpu_limit_s, run);
				workers[k].job = next++;
				workers[k].ticks = workers[k].idle_looks = 0;
				running++;
			}
		int status = 0;
		pid_t pid = wait_for_one(workers, &status);
		for (size_t k = 0; k < size; k++)
			if (workers[k].pid == pid) {
				workers[k].pid = 0;
				running--;
				remove_scratch(&workers[k]);
				if (!ended(workers[k].job, status))
					next = count;
			}
	}
}
