/* SPDX-License-Identifier: Apache-2.0
 * Commands that need no server: dari serve, dev. */
#include <stdio.h>

#include "daemon/command.h"

static struct str arg_or(const json_t *args, const char *name, struct str absent)
{
	const json_t *value = json_object_get(args, name);
	return value ? (struct str){json_string_value(value), json_string_length(value)} : absent;
}

static int serve_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	return serve_run(config_path);
}

static bool int_arg(const struct command *command, const json_t *args, const char *name, int64_t min,
		    int64_t max, int64_t *value)
{
	struct str text = arg_or(args, name, STR_NONE);
	int64_t given = 0;
	if (str_is_empty(text))
		return true;
	if (!result_is_ok(str_parse_int(text, &given)) || given < min || given > max) {
		fprintf(stderr, "dari %s: --%s wants a number from %lld to %lld, not %.*s\n", command->words,
			name, (long long) min, (long long) max, STR_ARG(text));
		return false;
	}
	*value = given;
	return true;
}

static int dev_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) config_path;
	struct dev_wish wish = {
		.data = arg_or(args, "data", STR_NONE),
		.store = arg_or(args, "store", STR_NONE),
		.port = -1,
		.host_count = DEV_HOSTS,
		.address_count = DEV_ADDRESSES,
		.at_once = json_object_get(args, "instant") != NULL,
		.fetch_from = arg_or(args, "fetch-from", STR_NONE),
		.proxies = arg_or(args, "proxies", STR_NONE),
		.directory = arg_or(args, "directory", STR_NONE),
		.has_tls = json_object_get(args, "tls") != NULL,
		.limited = json_object_get(args, "limits") != NULL,
	};
	if (!int_arg(command, args, "port", 0, 65535, &wish.port) ||
	    !int_arg(command, args, "cloudstack-port", 1, 65535, &wish.cloudstack_port) ||
	    !int_arg(command, args, "hosts", 1, DEV_HOSTS_MAX, &wish.host_count) ||
	    !int_arg(command, args, "addresses", 1, DEV_ADDRESSES, &wish.address_count) ||
	    !int_arg(command, args, "leftovers", 0, DEV_LEFTOVERS_MAX, &wish.leftover_count))
		return 2;
	return dev_run(&wish);
}

const struct command local_commands[] = {
	{"serve", "Runs the control plane until SIGTERM.", {{0}}, .run_here = serve_here},
	{"dev",
	 "Runs a simulated region to try things: no guests, no root, no configuration.",
	 {{"port", PARAM_OPTION, false, "Of its API on 127.0.0.1; 0: any free one; absent: 4280."},
	  {"cloudstack-port", PARAM_OPTION, false,
	   "A second one, as clients of CloudStack expect 8080; absent: none."},
	  {"hosts", PARAM_OPTION, false, "How many; absent: 4."},
	  {"addresses", PARAM_OPTION, false,
	   "How many public ones, and for routers' gateways; absent: 65,000."},
	  {"leftovers", PARAM_OPTION, false,
	   "Disks on the first host that have no rows, to try the audit on; absent: none."},
	  {"data", PARAM_OPTION, false, "Directory to keep it in; absent: gone at the end."},
	  {"store", PARAM_OPTION, false,
	   "The database, as postgresql://HOST/NAME; needs --data for the master key; absent: a file in "
	   "--data."},
	  {"instant", PARAM_FLAG, false, "Simulated work takes no time."},
	  {"fetch-from", PARAM_OPTION, false,
	   "Addresses of this machine or others that images and issuers' keys may come from, comma "
	   "separated."},
	  {"proxies", PARAM_OPTION, false,
	   "Reverse proxies whose X-Forwarded-For is believed: addresses and blocks, comma separated."},
	  {"directory", PARAM_OPTION, false,
	   "A configuration file whose keys directory.… it takes: people of an LDAP directory sign in."},
	  {"tls", PARAM_FLAG, false, "Its API speaks TLS, with a certificate of its own: az wants that."},
	  {"limits", PARAM_FLAG, false, "Requests are limited as dari serve limits them."}},
	 .run_here = dev_here},
	{0},
};
