/* SPDX-License-Identifier: Apache-2.0
 * Network namespaces without names, by setns(2), unshare(2) and ip(8). */
#include "drivers/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"

static const int64_t ip_timeout_us = 10 * SECOND;

/* ---- threads in another namespace ---- */

static void *visit_main(void *arg)
{
	struct netns_visit *v = arg;
	v->result = -1;
	if (v->netns_fd >= 0 && setns(v->netns_fd, CLONE_NEWNET) != 0)
		v->error = errno;
	else
		v->work(v);
	return NULL;
}

RESULT netns_enter(struct ctx *c, struct netns_visit *v, const char *what)
{
	pthread_t thread;
	char text[128];
	int rc = pthread_create(&thread, NULL, visit_main, v);
	if (rc)
		return ctx_fail(c, ERR_AGAIN, "cannot start a thread: %s", strerror_r(rc, text, sizeof text));
	pthread_join(thread, NULL);
	if (v->result < 0)
		return ctx_fail(c, ERR_IO, "cannot %s: %s", what, strerror_r(v->error, text, sizeof text));
	return OK;
}

static void work_make(struct netns_visit *v)
{
	if (unshare(CLONE_NEWNET) == 0)
		v->result = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	v->error = errno;
}

RESULT netns_make(struct ctx *c, int *ret_fd)
{
	struct netns_visit v = {.work = work_make, .netns_fd = -1};
	TRY(netns_enter(c, &v, "make a network namespace"));
	*ret_fd = v.result;
	return OK;
}

/* ---- links ---- */

static RESULT run_batch(struct ctx *c, const char *const *argv, struct str commands, int netns_fd)
{
	struct child child = {
		.argv = argv, .input = commands, .timeout_us = ip_timeout_us, .netns_fd = netns_fd};
	struct child_end end = {0};
	if (!commands.p)
		return ctx_no_memory(c);
	TRY(child_run(c, &child, &end));
	if (end.status != 0)
		return ctx_fail(c, ERR_IO, "ip failed: %" STR_FMT, STR_ARG(str_trim(end.err)));
	return OK;
}

RESULT netns_run_ip(struct ctx *c, struct str commands, int netns_fd)
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};
	return run_batch(c, argv, commands, netns_fd);
}

RESULT netns_run_ip6(struct ctx *c, struct str commands, int netns_fd)
{
	static const char *const argv[] = {"ip", "-6", "-batch", "-", NULL};
	return run_batch(c, argv, commands, netns_fd);
}

struct str netns_write_address(struct ctx *c, const struct netns_address *a)
{
	char ip[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE], subnet[CIDR_TEXT_SIZE];
	ip_write(a->ip, ip);
	ip_write(a->gateway, gateway);
	cidr_write(a->subnet, subnet);
	struct str way_out =
		ip_is_none(a->gateway)
			? STR("")
			: str_print(c->arena, "route replace default via %s dev %s src %s table %u\n",
				    gateway, a->link, ip, a->table);
	return str_print(c->arena,
			 "addr replace %s/%u dev %s\n"
			 "route replace %s dev %s src %s table %u\n"
			 "%" STR_FMT "rule add from %s lookup %u pref %u\n",
			 ip, a->bits, a->link, subnet, a->link, ip, a->table, STR_ARG(way_out), ip, a->table,
			 a->rule);
}

void netns_delete_link(struct ctx *c, const char *link)
{
	struct ctx quiet;
	if (if_nametoindex(link) == 0)
		return;
	ctx_init(&quiet, c->arena);
	/* already gone: fine */
	IGNORE(netns_run_ip(&quiet, str_print(c->arena, "link delete dev %s\n", link), 0));
}

struct offload_visit {
	struct netns_visit visit; /* must be the first member */
	const char *link;
};

/* A userspace datapath doesn't compute checksums, so each sender must. */
static void work_stop_offload(struct netns_visit *v)
{
	const char *link = ((struct offload_visit *) v)->link;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM, .data = 0};
	struct ifreq request = {.ifr_data = (char *) &off};
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", link);
	if (fd >= 0)
		v->result = ioctl(fd, SIOCETHTOOL, &request);
	v->error = errno;
	if (fd >= 0)
		close(fd);
}

RESULT netns_stop_offload(struct ctx *c, int netns_fd, const char *link)
{
	struct offload_visit v = {{.work = work_stop_offload, .netns_fd = netns_fd}, link};
	return netns_enter(c, &v.visit, "turn off checksum offload");
}

RESULT netns_make_links(struct ctx *c, int netns_fd, const char *outer, const char *inner, int mtu)
{
	netns_delete_link(c, outer);
	TRY(netns_run_ip(
		c,
		str_print(c->arena,
			  "link add name %s mtu %d type veth peer name %s mtu %d netns /proc/%d/fd/%d\n"
			  "link set dev %s up\n",
			  outer, mtu, inner, mtu, (int) getpid(), netns_fd, outer),
		0));
	TRY(netns_stop_offload(c, -1, outer));
	return netns_stop_offload(c, netns_fd, inner);
}
