/* SPDX-License-Identifier: Apache-2.0
 * From RunInstances to running, as a client sees it: launches one instance, asks DescribeInstances
 * every 5 ms, and takes it away again; several times.
 *
 *     launch host=… key=… secret=… image=ami-… type=t3.nano count=5
 *
 * A line for each: accepted_us (Unix time of the answer), accept_ms and running_ms since the request
 * was sent, gone_ms (terminated), instance, interface. */
#include <stdio.h>
#include <sys/select.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client.h"

enum { ARENA_CAP = 16 * 1024 * 1024, POLL_US = 5000, LIMIT_S = 60 };

struct launch {
	struct ctx *c;
	struct target target;
	struct str image, type;
	int fd;
	struct buf answer;
};

static void pause_us(int64_t us)
{
	struct timeval time = {.tv_usec = us};
	(void) select(0, NULL, NULL, NULL, &time);
}

static RESULT call(struct launch *l, struct str form)
{
	return client_call(l->c, &l->target, l->fd, form, &l->answer);
}

/* Asks until the instance is in that state. */
static RESULT await(struct launch *l, struct str instance, const char *state)
{
	struct str want = str_print(l->c->arena, "<name>%s</name>", state);
	struct str form =
		str_print(l->c->arena, "Action=DescribeInstances&Version=2016-11-15&InstanceId.1=%" STR_FMT,
			  STR_ARG(instance));
	int64_t limit_us = clock_monotonic_us() + LIMIT_S * SECOND;
	for (;;) {
		TRY(call(l, form));
		if (str_contains(buf_str(&l->answer), want))
			return OK;
		if (clock_monotonic_us() > limit_us)
			return ctx_fail(l->c, ERR_TIMEOUT, "%" STR_FMT " is not %s after %d s",
					STR_ARG(instance), state, LIMIT_S);
		pause_us(POLL_US);
	}
}

static double ms_since(int64_t since_us)
{
	return (double) (clock_monotonic_us() - since_us) / (double) MILLISECOND;
}

static RESULT launch_one(struct launch *l)
{
	struct str form =
		str_print(l->c->arena,
			  "Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&ImageId=%" STR_FMT
			  "&InstanceType=%" STR_FMT,
			  STR_ARG(l->image), STR_ARG(l->type));
	int64_t since_us = clock_monotonic_us();
	TRY(call(l, form));
	double accept_ms = ms_since(since_us);
	int64_t accepted_us = clock_now_us();
	struct str instance = str_copy(l->c->arena, client_find_text(buf_str(&l->answer), "instanceId"));
	struct str interface =
		str_copy(l->c->arena, client_find_text(buf_str(&l->answer), "networkInterfaceId"));
	TRY(await(l, instance, "running"));
	double running_ms = ms_since(since_us);
	since_us = clock_monotonic_us();
	TRY(call(l,
		 str_print(l->c->arena, "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=%" STR_FMT,
			   STR_ARG(instance))));
	TRY(await(l, instance, "terminated"));
	(void) printf("accepted_us=%lld accept_ms=%.2f running_ms=%.2f gone_ms=%.2f instance=%" STR_FMT
		      " interface=%" STR_FMT "\n",
		      (long long) accepted_us, accept_ms, running_ms, ms_since(since_us), STR_ARG(instance),
		      STR_ARG(interface));
	(void) fflush(stdout);
	return OK;
}

static RESULT launch_all(struct launch *l, int64_t count)
{
	TRY(client_connect(l->c, l->target.host, &l->fd));
	for (int64_t k = 0; k < count; k++)
		TRY(launch_one(l));
	return OK;
}

int main(int argc, char **argv)
{
	struct ctx c;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_CAP);
	if (!arena)
		return 1;
	ctx_init(&c, arena);
	struct launch launch = {.c = &c,
				.target = arg_target(argc, argv),
				.image = arg_text(argc, argv, "image", STR_NONE),
				.type = arg_text(argc, argv, "type", STR("t3.nano")),
				.fd = -1};
	buf_init(&launch.answer, BUF_ANSWER_CAP);
	struct result result = launch_all(&launch, arg_int(argc, argv, "count", 1));
	fd_autoclose(&launch.fd);
	buf_done(&launch.answer);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
