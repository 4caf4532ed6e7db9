/* SPDX-License-Identifier: Apache-2.0
 * drivers/plug.h for tests: sockets on loopback instead of namespaces, with failures on demand. */
#include "fake_plugs.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_plugs fake;
static uuid plugged[64];

struct fake_plugs fake_plugs_read(void)
{
	(void) pthread_mutex_lock(&lock);
	struct fake_plugs copy = fake;
	(void) pthread_mutex_unlock(&lock);
	return copy;
}

void fake_plugs_reset(unsigned failures)
{
	(void) pthread_mutex_lock(&lock);
	fake = (struct fake_plugs){.failures = failures};
	memset(plugged, 0, sizeof plugged);
	(void) pthread_mutex_unlock(&lock);
}

struct plugs *fake_plugs(void)
{
	return (struct plugs *) &fake; /* never looked into by others */
}

static bool must_fail(void)
{
	bool fails = fake.failures > 0;
	fake.failures -= fails;
	fake.failed += fails;
	return fails;
}

RESULT plugs_ensure(struct plugs *p, struct ctx *c, const struct plug_wish *wish, int *ret_netns_fd)
{
	(void) p;
	(void) pthread_mutex_lock(&lock);
	bool fails = must_fail(), known = false;
	size_t room = 0;
	for (size_t k = 0; k < 64; k++) {
		known |= uuid_equal(plugged[k], wish->router);
		room = uuid_is_none(plugged[k]) ? k : room;
	}
	if (!fails && !known) {
		plugged[room] = wish->router;
		fake.plugged++;
	}
	fake.last = *wish;
	(void) pthread_mutex_unlock(&lock);
	*ret_netns_fd = 77;
	return fails ? ctx_fail(c, ERR_AGAIN, "no bridge br-int yet") : OK;
}

RESULT plugs_remove(struct plugs *p, struct ctx *c, uuid router)
{
	(void) p;
	(void) pthread_mutex_lock(&lock);
	bool fails = must_fail();
	for (size_t k = 0; k < 64 && !fails; k++)
		if (uuid_equal(plugged[k], router)) {
			plugged[k] = UUID_NONE;
			fake.plugged--;
		}
	(void) pthread_mutex_unlock(&lock);
	return fails ? ctx_fail(c, ERR_GONE, "Open vSwitch does not answer") : OK;
}

RESULT plugs_set_links(struct plugs *p, struct ctx *c, uuid router, const struct plug_link *links,
		       size_t count)
{
	(void) p, (void) router, (void) links;
	(void) pthread_mutex_lock(&lock);
	bool fails = must_fail();
	fake.links = fails ? fake.links : count;
	(void) pthread_mutex_unlock(&lock);
	return fails ? ctx_fail(c, ERR_AGAIN, "no bridge br-int yet") : OK;
}

RESULT plugs_add_address(struct plugs *p, struct ctx *c, uuid router, struct ip ip)
{
	(void) p, (void) c, (void) router, (void) ip;
	return OK;
}

int fake_socket(int type, uint16_t *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *) &at, sizeof at) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 64) != 0) ||
	    getsockname(fd, (struct sockaddr *) &at, &size) != 0)
		return -1;
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static RESULT make_socket(struct ctx *c, uint16_t port, int type, int *ret_fd)
{
	uint16_t got = 0;
	(void) pthread_mutex_lock(&lock);
	*ret_fd = must_fail() ? -1 : fake_socket(type, &got);
	if (*ret_fd >= 0)
		*(port == 80 ? &fake.web_port : type == SOCK_STREAM ? &fake.tcp_port : &fake.udp_port) = got;
	(void) pthread_mutex_unlock(&lock);
	return *ret_fd < 0 ? ctx_fail(c, ERR_IO, "cannot listen") : OK;
}

RESULT plug_listen_tcp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd)
{
	(void) netns_fd;
	bool is_wire =
		port == 80 && ip.b[0] == 168; /* Azure's WireServer, separate from the service under test */
	return make_socket(c, is_wire ? 32526 : port, SOCK_STREAM, ret_fd);
}

bool plug_has_ipv6(void)
{
	return false; /* one listener each is enough here */
}

RESULT plug_bind_udp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd)
{
	(void) netns_fd;
	(void) ip;
	return make_socket(c, port, SOCK_DGRAM, ret_fd);
}
