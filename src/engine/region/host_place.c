/* SPDX-License-Identifier: Apache-2.0
 * The accepted URIs and paths of hosts. They go to libvirt, into domain definitions, logs and lists, so only
 * harmless characters and parameters are allowed: libvirt's "command" and "netcat" would run programs
 * here. */
#include <string.h>

#include "engine/internal.h"
#include "engine/region/host_internal.h"

enum { PLACE_MAX_SIZE = 255 };

static bool consists_of(struct str text, const char *others)
{
	for (size_t n = 0; n < text.n; n++)
		if (!str_is_alphanumeric(text.p[n]) && (!text.p[n] || !strchr(others, text.p[n])))
			return false;
	return true;
}

/* Simulated hosts have one parameter: the CPU features they lack. */
static bool is_parameter(struct str scheme, struct str pair)
{
	static const char *const known[] = {
		"keyfile", "known_hosts", "known_hosts_verify", "mode", "no_tty", "no_verify", "pkipath",
		"socket",  "sshauth",     "tls_priority"};
	struct str name = STR_NONE;
	(void) str_split_next(&pair, '=', &name);
	if (str_is(scheme, "sim"))
		return str_is(name, "lacks") && consists_of(pair, "-._");
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (str_is(name, known[k]))
			return consists_of(pair, "/-._:,+@!");
	return false;
}

/* "qemu+ssh://root@hv1.example:22/system?keyfile=/etc/dari/key", "qemu+tls://[fd00::1]/system",
 * "sim://?lacks=avx2" */
bool host_is_uri(struct str uri)
{
	size_t colon = str_find_char(uri, ':', 0);
	struct str scheme = str_slice(uri, 0, colon), rest = str_slice(uri, colon, uri.n), pair;
	if (!scheme.n || !consists_of(scheme, "+") || uri.n > PLACE_MAX_SIZE ||
	    !str_starts_with(rest, STR("://")))
		return false;
	rest = str_slice(rest, 3, rest.n);
	size_t query = str_find_char(rest, '?', 0), slash = str_find_char(str_slice(rest, 0, query), '/', 0);
	struct str parameters = str_slice(rest, query + (query < rest.n), rest.n);
	while (str_split_next(&parameters, '&', &pair))
		if (!is_parameter(scheme, pair))
			return false;
	return consists_of(str_slice(rest, 0, slash), "-._:@[]") &&
	       consists_of(str_slice(rest, slash, query), "/-._");
}

bool host_is_path(struct str path)
{
	return path.n > 1 && path.n <= PLACE_MAX_SIZE && path.p[0] == '/' && path.p[path.n - 1] != '/' &&
	       consists_of(path, "/-._") && !str_contains(path, STR("//")) &&
	       !str_contains(path, STR("/../")) && !str_ends_with(path, STR("/.."));
}
