/* SPDX-License-Identifier: Apache-2.0
 * Time from a launch to a running machine, as a client sees it: launches one, polls it every 5 ms, and terminates it;
 * `count` times.
 *
 *     launch host=… key=… secret=… image=ami-… type=t3.nano more=FORM count=5  EC2
 *     launch host=… token=… image=UUID type=FLAVOR network=UUID count=5        OpenStack
 *
 * Prints a line for each launch: accepted_us (Unix time of the answer), accept_ms and running_ms since the request
 * was sent, gone_ms (terminated), instance, interface (EC2's). */
#include <stdio.h>
#include <sys/select.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client.h"

enum { ARENA_CAP = 16 * 1024 * 1024, POLL_US = 5000, LIMIT_S = 60 };

struct launch;

/* Requests of one face, and how to read its answers. */
struct face {
	struct client_request (*create)(struct launch *l);
	struct client_request (*look)(struct launch *l);
	struct client_request (*end)(struct launch *l);
	const char *id_before; /* text before the id in create's answer */
	char id_after;
	const char *running, *ended; /* texts in look's answer that show the state */
	int ended_status;            /* status of look's answer once the machine is gone */
};

struct launch {
	struct ctx *c;
	const struct face *face;
	struct target target;
	struct str image, type, network;
	struct str more; /* further parameters of EC2's form */
	int fd;
	struct buf answer;
	struct str instance;
};

/* ---- EC2 ---- */

static struct client_request ec2_ask(struct launch *l, const char *action, const char *id)
{
	return (struct client_request){.body = str_print(l->c->arena,
							 "Action=%s&Version=2016-11-15&%s=%" STR_FMT, action,
							 id, STR_ARG(l->instance))};
}

static struct client_request ec2_create(struct launch *l)
{
	return (struct client_request){
		.body = str_print(
			l->c->arena,
			"Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&ImageId=%" STR_FMT
			"&InstanceType=%" STR_FMT "%s%" STR_FMT,
			STR_ARG(l->image), STR_ARG(l->type), l->more.n ? "&" : "", STR_ARG(l->more))};
}

static struct client_request ec2_look(struct launch *l)
{
	return ec2_ask(l, "DescribeInstances", "InstanceId.1");
}

static struct client_request ec2_end(struct launch *l)
{
	return ec2_ask(l, "TerminateInstances", "InstanceId.1");
}

static const struct face face_ec2 = {
	ec2_create, ec2_look, ec2_end, "<instanceId>", '<', "<name>running</name>", "<name>terminated</name>",
	0};

/* ---- OpenStack ---- */

static struct client_request openstack_ask(struct launch *l, const char *method)
{
	return (struct client_request){
		.method = method,
		.path = str_print(l->c->arena, "/compute/v2.1/servers/%" STR_FMT, STR_ARG(l->instance))};
}

static struct client_request openstack_create(struct launch *l)
{
	return (struct client_request){
		.method = "POST",
		.path = STR("/compute/v2.1/servers"),
		.body = str_print(l->c->arena,
				  "{\"server\": {\"name\": \"bench\", \"imageRef\": \"%" STR_FMT
				  "\", \"flavorRef\": \"%" STR_FMT "\", \"networks\": [{\"uuid\": \"%" STR_FMT
				  "\"}]}}",
				  STR_ARG(l->image), STR_ARG(l->type), STR_ARG(l->network))};
}

static struct client_request openstack_look(struct launch *l)
{
	return openstack_ask(l, "GET");
}

static struct client_request openstack_end(struct launch *l)
{
	return openstack_ask(l, "DELETE");
}

static const struct face face_openstack = {openstack_create,
					   openstack_look,
					   openstack_end,
					   "\"id\":\"",
					   '"',
					   "\"status\":\"ACTIVE\"",
					   NULL,
					   404};

/* ---- both ---- */

static RESULT call(struct launch *l, struct client_request request)
{
	return client_call(l->c, &l->target, l->fd, &request, &l->answer);
}

/* Polls until look's answer contains the words or has the status; words NULL, status 0: do not look for it. */
static RESULT await(struct launch *l, const char *words, int status_wanted)
{
	const struct client_request look = l->face->look(l);
	int64_t limit_us = clock_monotonic_us() + LIMIT_S * SECOND;
	for (;;) {
		int status = 0;
		TRY(client_ask(l->c, &l->target, l->fd, &look, &l->answer, &status));
		if ((words && str_contains(buf_str(&l->answer), str_from(words))) || status == status_wanted)
			return OK;
		if (clock_monotonic_us() > limit_us)
			return ctx_fail(l->c, ERR_TIMEOUT, "%" STR_FMT " is not so after %d s: %" STR_FMT,
					STR_ARG(l->instance), LIMIT_S, STR_ARG(buf_str(&l->answer)));
		(void) select(0, NULL, NULL, NULL, &(struct timeval){.tv_usec = POLL_US});
	}
}

static double ms_since(int64_t since_us)
{
	return (double) (clock_monotonic_us() - since_us) / (double) MILLISECOND;
}

static RESULT launch_one(struct launch *l)
{
	const struct client_request create = l->face->create(l);
	int64_t since_us = clock_monotonic_us();
	TRY(call(l, create));
	double accept_ms = ms_since(since_us);
	int64_t accepted_us = clock_now_us();
	struct str answer = buf_str(&l->answer);
	l->instance = str_copy(l->c->arena, client_find_text(answer, l->face->id_before, l->face->id_after));
	struct str interface = str_copy(l->c->arena, client_find_text(answer, "<networkInterfaceId>", '<'));
	TRY(await(l, l->face->running, 0));
	double running_ms = ms_since(since_us);
	since_us = clock_monotonic_us();
	TRY(call(l, l->face->end(l)));
	TRY(await(l, l->face->ended, l->face->ended_status));
	(void) printf("accepted_us=%lld accept_ms=%.2f running_ms=%.2f gone_ms=%.2f instance=%" STR_FMT
		      " interface=%" STR_FMT "\n",
		      (long long) accepted_us, accept_ms, running_ms, ms_since(since_us),
		      STR_ARG(l->instance), STR_ARG(interface));
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
				.network = arg_text(argc, argv, "network", STR_NONE),
				.more = arg_text(argc, argv, "more", STR_NONE),
				.fd = -1};
	launch.face = launch.target.token.n ? &face_openstack : &face_ec2;
	buf_init(&launch.answer, BUF_ANSWER_CAP);
	struct result result = launch_all(&launch, arg_int(argc, argv, "count", 1));
	fd_autoclose(&launch.fd);
	buf_done(&launch.answer);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
