/* SPDX-License-Identifier: Apache-2.0
 * Parses the addresses of OVSDB servers (ovsdb_remote.h). */
#include "drivers/ovsdb/ovsdb_remote.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/ip.h"

enum { PORT_MAX = 65535 };

static RESULT fail_address(struct ctx *c, struct str text)
{
	return ctx_fail(c, ERR_INVALID,
			"'%" STR_FMT
			"' is not the address of a database server: use unix:PATH, tcp:IP:PORT or "
			"ssl:IP:PORT, and commas between the servers of a cluster",
			STR_ARG(text));
}

static bool take_path(struct str path, struct ovsdb_remote *remote)
{
	struct sockaddr_un *un = (struct sockaddr_un *) &remote->address;
	if (path.n == 0 || path.n >= sizeof un->sun_path)
		return false;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.p, path.n);
	remote->size = sizeof *un;
	return true;
}

/* Splits "10.0.0.1:6641" and "[2001:db8::1]:6641" before the last colon. */
static bool split_port(struct str text, struct str *ret_host, int64_t *ret_port)
{
	size_t colon = text.n;
	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || !result_is_ok(str_parse_int(str_slice(text, colon, text.n), ret_port)) ||
	    *ret_port < 1 || *ret_port > PORT_MAX)
		return false;
	struct str host = str_slice(text, 0, colon - 1);
	bool is_bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	*ret_host = is_bracketed ? str_slice(host, 1, host.n - 1) : host;
	/* an IPv6 address without brackets could swallow the port */
	return is_bracketed || str_find_char(host, ':', 0) == host.n;
}

static bool take_host(struct str text, struct ovsdb_remote *remote)
{
	struct str host = STR_NONE;
	int64_t port = 0;
	struct ip ip = {0};
	if (!split_port(text, &host, &port) || !result_is_ok(ip_parse(host, &ip)))
		return false;
	if (ip.family == IP_V4) {
		struct sockaddr_in *in = (struct sockaddr_in *) &remote->address;
		*in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
		memcpy(&in->sin_addr, ip.b, sizeof in->sin_addr);
		remote->size = sizeof *in;
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &remote->address;
		*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
		memcpy(&in6->sin6_addr, ip.b, sizeof in6->sin6_addr);
		remote->size = sizeof *in6;
	}
	return true;
}

static bool parse_one(struct str text, struct ovsdb_remote *remote)
{
	*remote = (struct ovsdb_remote){0};
	if (text.n >= sizeof remote->text)
		return false;
	memcpy(remote->text, text.p, text.n);
	if (str_starts_with(text, STR("unix:")))
		return take_path(str_slice(text, strlen("unix:"), text.n), remote);
	remote->is_tls = str_starts_with(text, STR("ssl:"));
	return (remote->is_tls || str_starts_with(text, STR("tcp:"))) &&
	       take_host(str_slice(text, strlen("tcp:"), text.n), remote);
}

RESULT ovsdb_remotes_parse(struct ctx *c, struct str list, struct ovsdb_remotes *ret_remotes)
{
	struct str rest = list, one = STR_NONE;
	ret_remotes->count = 0;
	while (str_split_next(&rest, ',', &one)) {
		one = str_trim(one);
		if (ret_remotes->count == OVSDB_REMOTES_MAX)
			return ctx_fail(c, ERR_INVALID, "'%" STR_FMT "' names more than %d database servers",
					STR_ARG(list), OVSDB_REMOTES_MAX);
		if (!parse_one(one, &ret_remotes->at[ret_remotes->count]))
			return fail_address(c, one);
		ret_remotes->count++;
	}
	return ret_remotes->count ? OK : fail_address(c, list);
}
