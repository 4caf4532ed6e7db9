/* SPDX-License-Identifier: Apache-2.0
 * The configuration file: keys, defaults and meanings, in one table. */
#include "base/file.h"
#include "base/vec.h"
#include "daemon/daemon.h"

enum { CONFIG_CAP = 1024 * 1024 };

#define KEY(wire, kind, member, ...)                                                                         \
	{                                                                                                    \
		.name = wire, .type = kind, .offset = offsetof(struct settings, member), __VA_ARGS__         \
	}

#define LIMIT(name, kind, rate, most, words)                                                                 \
	KEY("limits." name "_per_second", CONFIG_INT, limits.of[kind].per_second, .absent = (rate),          \
	    .max = LIMIT_PER_SECOND_MAX, .doc = "Rate limit per second of " words "; 0: no limit."),         \
		KEY("limits." name "_burst", CONFIG_INT, limits.of[kind].burst, .absent = (most), .min = 1,  \
		    .max = LIMIT_BURST_MAX, .doc = "Burst limit of " words ".")

static const struct config_key keys[] = {
	KEY("region.name", CONFIG_TEXT, region, .absent = "us-east-1",
	    .doc = "Name of the region, as clients use it in signatures."),
	KEY("region.id", CONFIG_TEXT, region_id,
	    .doc = "Region id. Together with the name it marks everything that Dari creates on hosts and in "
		   "OVN: never change it."),
	KEY("data.directory", CONFIG_TEXT, data_directory, .absent = "/var/lib/dari",
	    .doc = "Directory for the database, images and the master key."),
	KEY("store", CONFIG_TEXT, store,
	    .doc = "The database: postgresql://HOST1,HOST2/NAME?user=NAME for PostgreSQL, or a path for "
		   "SQLite; "
		   "absent: dari.db in data.directory."),
	KEY("store_peer", CONFIG_TEXT, store_peer,
	    .doc = "URL at which the other dari processes of the same PostgreSQL database reach this one; "
		   "absent: "
		   "api.endpoint."),
	KEY("control.socket", CONFIG_TEXT, control_socket, .absent = "/run/dari/dari.sock",
	    .doc = "Control socket, through which `dari` commands reach the server."),
	KEY("log.level", CONFIG_TEXT, log_level, .absent = "info", .doc = "debug, info, warn or error."),
	KEY("api.address", CONFIG_TEXT, listen_ip, .absent = "127.0.0.1",
	    .doc = "Address on which the API listens."),
	KEY("api.port", CONFIG_INT, listen_port, .absent = "8788", .min = 1, .max = 65535,
	    .doc = "Port of the API."),
	KEY("api.cloudstack_port", CONFIG_INT, cloudstack_port, .absent = "0", .max = 65535,
	    .doc = "Additional port for CloudStack clients, most of which expect 8080; 0: none."),
	KEY("api.certificate", CONFIG_TEXT, tls_certificate, .is_file = true,
	    .doc = "PEM file of the certificate; enables TLS."),
	KEY("api.key", CONFIG_TEXT, tls_key, .is_file = true, .doc = "Private key of the certificate, PEM."),
	KEY("api.endpoint", CONFIG_TEXT, endpoint,
	    .doc = "Public URL in answers (default: made of the address and port)."),
	KEY("limits.connections", CONFIG_INT, connections, .absent = "10000", .min = 10, .max = 1000000,
	    .doc = "Maximum number of connections of all clients."),
	KEY("limits.connections_per_address", CONFIG_INT, connections_per_address, .absent = "5000",
	    .max = 1000000, .doc = "Maximum number of connections from one client address; 0: no limit."),
	KEY("limits.connections_per_account", CONFIG_INT, connections_per_account, .absent = "2500",
	    .max = 1000000,
	    .doc = "Connections of one account from all addresses; 0: no limit. The last twentieth of all "
		   "connections is reserved for administrators."),
	KEY("api.proxies", CONFIG_TEXTS, proxies,
	    .doc = "Addresses and blocks of reverse proxies, whose X-Forwarded-For and X-Forwarded-Proto are "
		   "trusted."),
	KEY("api.proxy_header", CONFIG_TEXT, proxy_header, .absent = "X-Forwarded-For",
	    .doc = "Header in which the proxies pass the client's address: X-Forwarded-For or Forwarded."),
	LIMIT("reads", LIMIT_READS, "500", "5000", "an account's read requests"),
	LIMIT("writes", LIMIT_WRITES, "100", "2000", "an account's write requests"),
	LIMIT("strangers", LIMIT_STRANGERS, "20", "200", "an address's unauthenticated requests"),
	KEY("history.events_days", CONFIG_INT, events_days, .absent = "400", .max = 36500,
	    .doc = "Days after which events are deleted; 0: never."),
	KEY("history.events", CONFIG_INT, events_max, .absent = "20000000", .max = 1000000000000,
	    .doc = "Maximum number of events; older ones are deleted. 0: no maximum."),
	KEY("consoles.novnc", CONFIG_TEXT, novnc_directory, .absent = "/usr/share/novnc",
	    .doc = "Directory of noVNC, which shows guests' displays; Debian's package novnc."),
	KEY("consoles.open", CONFIG_INT, consoles, .absent = "100", .min = 1, .max = 10000,
	    .doc = "Maximum number of open consoles. The serial console of a guest occupies a thread."),
	KEY("consoles.open_per_account", CONFIG_INT, consoles_per_account, .absent = "20", .min = 1,
	    .max = 10000, .doc = "Maximum number of open consoles of one account."),
	KEY("consoles.idle_s", CONFIG_INT, console_idle_s, .absent = "1800", .min = 10, .max = 86400,
	    .doc = "Idle time in seconds after which a console is closed."),
	KEY("identity.password_memory_kib", CONFIG_INT, password_memory_kib, .absent = "19456", .min = 8,
	    .max = 1024 * 1024,
	    .doc = "Memory in KiB for hashing a password. At most four hashes run at once, and no more than "
		   "half the number of processors."),
	KEY("identity.password_passes", CONFIG_INT, password_passes, .absent = "2", .min = 1, .max = 100,
	    .doc = "Passes of argon2id over that memory."),
	KEY("identity.password_failures", CONFIG_INT, password_failures, .absent = "5", .max = 1000000,
	    .doc = "Consecutive wrong passwords after which an address is locked out of a user for a while; "
		   "0: never."),
	KEY("identity.locked_s", CONFIG_INT, password_locked_s, .absent = "300", .min = 1, .max = 86400,
	    .doc = "Duration of the lock in seconds."),
	KEY("directory.url", CONFIG_TEXT, directory.ldap.url,
	    .doc = "URL of an LDAP directory or Active Directory whose people sign in with their password "
		   "there: ldaps://HOST or ldap://HOST. Several, separated by blanks, are tried in turn. "
		   "Absent: no sign-in by a directory."),
	KEY("directory.start_tls", CONFIG_BOOL, directory_start_tls, .absent = "true",
	    .doc = "Begins TLS on ldap:// before anything else is sent (StartTLS); ldaps:// always uses "
		   "TLS."),
	KEY("directory.ca", CONFIG_TEXT, directory.ldap.authority, .is_file = true,
	    .doc = "PEM file of the directory's CA certificate; absent: the system's."),
	KEY("directory.domain", CONFIG_TEXT, directory.domain, .absent = "Default",
	    .doc = "Domain of the directory's people."),
	KEY("directory.bind_dn", CONFIG_TEXT, directory.ldap.bind_name,
	    .doc = "DN of the account for searches; absent: anonymous searches."),
	KEY("directory.bind_password_file", CONFIG_TEXT, directory_password_file, .is_file = true,
	    .doc = "File with the password of that account."),
	KEY("directory.people", CONFIG_TEXT, directory.ldap.user_base,
	    .doc = "Base DN of people: ou=people,dc=example,dc=com."),
	KEY("directory.person_filter", CONFIG_TEXT, directory.ldap.user_filter, .absent = "(uid={name})",
	    .doc = "Filter for one person; {name} stands for the typed name. Active Directory: "
		   "(&(objectCategory=person)(sAMAccountName={name}))."),
	KEY("directory.person_name", CONFIG_TEXT, directory.ldap.name_attribute, .absent = "uid",
	    .doc = "Attribute with a person's user name. Active Directory: sAMAccountName."),
	KEY("directory.person_id", CONFIG_TEXT, directory.ldap.id_attribute, .absent = "entryUUID",
	    .doc = "Attribute that never changes for a person. Active Directory: objectGUID."),
	KEY("directory.person_mail", CONFIG_TEXT, directory.ldap.mail_attribute, .absent = "mail",
	    .doc = "Attribute with the e-mail address."),
	KEY("directory.group_base", CONFIG_TEXT, directory.ldap.group_base,
	    .doc = "Base DN of groups; absent: no groups are read."),
	KEY("directory.group_filter", CONFIG_TEXT, directory.ldap.group_filter,
	    .absent = "(|(member={dn})(uniqueMember={dn})(memberUid={name}))",
	    .doc = "Filter for a person's groups; {dn} and {name} stand for the person's. Active Directory "
		   "with nested groups: (member:1.2.840.113556.1.4.1941:={dn})."),
	KEY("directory.group_name", CONFIG_TEXT, directory.ldap.group_name_attribute, .absent = "cn",
	    .doc = "Attribute with the name of a group."),
	KEY("directory.groups", CONFIG_TEXTS, directory.groups,
	    .doc = "Groups to mirror in the domain, where they can get roles: NAME, or NAME=NAME HERE. "
		   "Members are updated at each sign-in and each refresh."),
	KEY("directory.refresh_s", CONFIG_INT, directory_refresh_s, .absent = "900", .min = 1, .max = 604800,
	    .doc = "Interval in seconds at which the region looks its people up in the directory, disables "
		   "those who have left, and updates groups."),
	KEY("directory.timeout_s", CONFIG_INT, directory_timeout_s, .absent = "5", .min = 1, .max = 60,
	    .doc = "Time limit of an answer in seconds."),
	KEY("ovn.northbound", CONFIG_TEXT, ovn_northbound, .absent = "unix:/run/ovn/ovnnb_db.sock",
	    .doc = "OVN's northbound database: unix:PATH, tcp:IP:PORT or ssl:IP:PORT. Several, separated by "
		   "commas, are the servers of one cluster."),
	KEY("ovn.southbound", CONFIG_TEXT, ovn_southbound, .absent = "unix:/run/ovn/ovnsb_db.sock",
	    .doc = "OVN's southbound database, in the same form, which shows whether the OVN of a silent "
		   "host still answers; "
		   "empty: hosts are never fenced automatically."),
	KEY("ovn.ca", CONFIG_TEXT, ovn_authority, .is_file = true,
	    .doc = "PEM file of the authority that signed the certificates of OVN's databases, for ssl: "
		   "addresses."),
	KEY("ovn.certificate", CONFIG_TEXT, ovn_certificate, .is_file = true,
	    .doc = "PEM file of the certificate with which dari connects to ssl: addresses."),
	KEY("ovn.key", CONFIG_TEXT, ovn_key, .is_file = true, .doc = "Private key of that certificate, PEM."),
	KEY("ovn.local", CONFIG_TEXT, ovs_database, .absent = "unix:/run/openvswitch/db.sock",
	    .doc = "This machine's Open vSwitch database."),
	KEY("ovn.chassis", CONFIG_TEXT, chassis,
	    .doc = "This machine's system-id in Open vSwitch; required to serve."),
	KEY("dns.upstreams", CONFIG_TEXTS, dns_upstreams,
	    .doc = "DNS resolvers for external names; absent: those of /etc/resolv.conf."),
	KEY("identity.token_lifetime_s", CONFIG_INT, token_lifetime_s, .absent = "3600", .min = 60,
	    .max = 86400, .doc = "Lifetime of an identity token in seconds."),
	KEY("guests.shutdown_grace_s", CONFIG_INT, shutdown_grace_s, .absent = "60", .min = 1, .max = 3600,
	    .doc = "Seconds between asking a guest to shut down and forcing it."),
	KEY("images.fetch_not_from", CONFIG_TEXTS, fetch_not_from,
	    .doc = "Additional blocks from which nothing is downloaded for accounts."),
	KEY("images.fetch_also_from", CONFIG_TEXTS, fetch_also_from,
	    .doc = "Addresses from which downloads are allowed nevertheless; blocks override "
		   "images.fetch_not_from only."),
	KEY("images.mirror", CONFIG_TEXT, image_mirror,
	    .doc = "Mirror of vendors' images for `dari image get`; {vendor} stands for the vendor's name. "
		   "Absent: the vendors' own servers."),
	KEY("exports.directory", CONFIG_TEXT, export_directory,
	    .doc = "Directory for exported images, with a folder for each account; absent: exports in the "
		   "data directory."),
	KEY("playbooks.directory", CONFIG_TEXT, playbook_directory,
	    .doc = "Directory of ansible-runner with the playbooks that machine policies may run, below its "
		   "`project`; absent: policies run none."),
	KEY("playbooks.runner", CONFIG_TEXT, playbook_runner, .absent = "ansible-runner",
	    .doc = "Program that runs playbooks, with ansible-runner's arguments."),
	KEY("playbooks.user", CONFIG_TEXT, playbook_user, .absent = "nobody",
	    .doc = "User that playbooks run as; own: the server's, who reads the master key."),
	KEY("backup.target", CONFIG_TEXT, backup.url,
	    .doc = "Target of volume backups: file:///DIRECTORY or s3://BUCKET/PREFIX; absent: volume "
		   "backups are disabled."),
	KEY("backup.s3_endpoint", CONFIG_TEXT, backup.endpoint,
	    .doc = "URL of the S3 service, such as https://s3.us-east-1.amazonaws.com."),
	KEY("backup.s3_region", CONFIG_TEXT, backup.region, .absent = "us-east-1",
	    .doc = "Region name in signatures of requests to the target."),
	KEY("backup.s3_key_id", CONFIG_TEXT, backup.key_id, .doc = "Id of the access key."),
	KEY("backup.s3_secret_file", CONFIG_TEXT, backup.secret_file, .is_file = true,
	    .doc = "File with the secret of the access key."),
	KEY("flow_logs.target", CONFIG_TEXT, flow_log_target,
	    .doc = "Where flow logs and access logs of load balancers are written: file:///DIRECTORY or "
		   "s3://BUCKET, at the service and with "
		   "the key "
		   "of backup.s3_…; absent: the directory flow-logs in the data directory. The last name is "
		   "the "
		   "bucket's, which accounts give as arn:aws:s3:::NAME."),
	KEY("flow_logs.listen", CONFIG_TEXT, flow_log_listen,
	    .doc = "ADDRESS:PORT of this machine at which hosts' Open vSwitch reports traffic by IPFIX; "
		   "absent: flow "
		   "logs say NODATA."),
	KEY("flow_logs.exporters", CONFIG_TEXTS, flow_log_exporters,
	    .doc = "Addresses and blocks of hosts whose reports are read; absent: all that reach that "
		   "address."),
	KEY("flow_logs.account_mib_a_day", CONFIG_INT, log_mib_a_day, .absent = "10240", .min = 1,
	    .max = 1 << 30,
	    .doc = "MiB that an account may write into files of flow logs and access logs on a day of UTC."),
	KEY("metering.uplink", CONFIG_TEXT, traffic_device,
	    .doc = "Network device for all outgoing traffic, if this machine is the router of the external "
		   "networks. Traffic of public addresses is counted there by nftables, and billed. Absent: "
		   "it is neither counted nor billed."),
	KEY("metering.uplink_namespace", CONFIG_TEXT, traffic_netns,
	    .doc = "Named network namespace of the device; absent: the server's own."),
	KEY("hosts.image_keep_h", CONFIG_INT, image_keep_h, .absent = "24", .min = 1, .max = 8760,
	    .doc = "Hours for which a host keeps a cached image that backs no disk."),
	KEY("hosts.image_unneeded_gib", CONFIG_INT, image_unneeded_gib, .absent = "0", .min = 0,
	    .max = 1048576,
	    .doc = "Maximum GiB of unneeded cached images in a pool. Above it the longest unneeded are "
		   "deleted first; 0: no maximum."),
	KEY("hosts.image_reserve_percent", CONFIG_INT, image_reserve_percent, .absent = "10", .min = 1,
	    .max = 90,
	    .doc = "Percentage of a host's pool that must stay free. Below it unneeded cached images are "
		   "deleted, the longest unneeded first."),
	KEY("hosts.interval_s", CONFIG_INT, host_interval_s, .absent = "10", .min = 1, .max = 3600,
	    .doc = "Seconds between two polls of an idle host."),
	KEY("hosts.figures_s", CONFIG_INT, figures_interval_s, .absent = "10", .min = 1, .max = 60,
	    .doc = "Seconds between two readings of guests' processor, memory, disk and network usage."),
};

void settings_each_key(void (*each)(void *arg, const struct config_key *key), void *arg)
{
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
		each(arg, &keys[k]);
}

RESULT settings_each_file(struct arena *a, const struct settings *s,
			  RESULT (*each)(void *arg, const char *path), void *arg)
{
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
		const struct str *path =
			(const struct str *) (const void *) ((const char *) s + keys[k].offset);
		if (keys[k].is_file && path->n)
			TRY(each(arg, str_to_z(a, *path)));
	}
	return OK;
}

RESULT settings_fill_defaults(struct ctx *c, struct settings *ret_settings)
{
	return config_parse(c, STR_NONE, keys, sizeof keys / sizeof keys[0], ret_settings);
}

/* Stricter than the kernel's rule for device names, because these go into nftables' language and a path. */
enum { DEVICE_NAME_MAX = 15, NETNS_NAME_MAX = 255 }; /* IFNAMSIZ without NUL; a file name */
static RESULT check_name(struct ctx *c, const char *path, const char *key, struct str name, size_t max)
{
	bool is_good = name.n <= max && !str_starts_with(name, STR("."));
	for (size_t k = 0; k < name.n; k++)
		is_good = is_good && (str_is_alphanumeric(name.p[k]) || strchr("._-", name.p[k]));
	return is_good ? OK
		       : ctx_fail(c, ERR_INVALID, "%s: %s has at most %zu letters, digits, '.', '_' and '-'.",
				  path, key, max);
}

RESULT settings_read(struct ctx *c, const char *path, struct settings *ret_settings)
{
	struct str text = STR_NONE;
	TRY(file_read(c, path, CONFIG_CAP, &text));
	return settings_parse(c, text, path, ret_settings);
}

RESULT settings_parse(struct ctx *c, struct str text, const char *path, struct settings *ret_settings)
{
	*ret_settings = (struct settings){0};
	struct result result = config_parse(c, text, keys, sizeof keys / sizeof keys[0], ret_settings);
	if (!result_is_ok(result)) {
		struct str why = c->problem.message;
		ctx_clear_problem(c);
		return ctx_fail(c, result.code, "%s: %" STR_FMT, path, STR_ARG(why));
	}
	return OK;
}

RESULT settings_load(struct ctx *c, const char *path, struct settings *ret_settings)
{
	uuid id = UUID_NONE;
	TRY(settings_read(c, path, ret_settings));
	if (!result_is_ok(uuid_parse(ret_settings->region_id, &id)))
		return ctx_fail(c, ERR_INVALID, "%s: region.id has to be the UUID that `dari init` wrote",
				path);
	TRY(check_name(c, path, "metering.uplink", ret_settings->traffic_device, DEVICE_NAME_MAX));
	return check_name(c, path, "metering.uplink_namespace", ret_settings->traffic_netns, NETNS_NAME_MAX);
}

struct str settings_write(struct arena *a, const struct settings *s)
{
	struct str upstreams = STR_NONE;
	for (size_t k = 0; k < s->dns_upstreams.count; k++)
		upstreams = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(upstreams), k ? ", " : "",
				      STR_ARG(s->dns_upstreams.at[k]));
	struct str tls = STR_NONE, ovn_tls = STR_NONE;
	if (s->ovn_authority.n)
		ovn_tls = str_print(
			a, "  ca: %" STR_FMT "\n  certificate: %" STR_FMT "\n  key: %" STR_FMT "\n",
			STR_ARG(s->ovn_authority), STR_ARG(s->ovn_certificate), STR_ARG(s->ovn_key));
	if (s->tls_certificate.n)
		tls = str_print(a, "  certificate: %" STR_FMT "\n  key: %" STR_FMT "\n",
				STR_ARG(s->tls_certificate), STR_ARG(s->tls_key));
	return str_print(a,
			 "# Dari's configuration; docs/operations.md explains every key.\n"
			 "region:\n  name: %" STR_FMT "\n  id: %" STR_FMT "\n"
			 "%s%" STR_FMT "%sdata:\n  directory: %" STR_FMT "\n"
			 "control:\n  socket: %" STR_FMT "\n"
			 "api:\n  address: %" STR_FMT "\n  port: %lld\n%" STR_FMT "%s%" STR_FMT "%s"
			 "ovn:\n  northbound: %" STR_FMT "\n  southbound: %" STR_FMT "\n%" STR_FMT
			 "  local: %" STR_FMT "\n  chassis: %" STR_FMT "\n"
			 "dns:\n  upstreams: [%" STR_FMT "]\n",
			 STR_ARG(s->region), STR_ARG(s->region_id), s->store.n ? "store: \"" : "",
			 STR_ARG(s->store), s->store.n ? "\"\n" : "", STR_ARG(s->data_directory),
			 STR_ARG(s->control_socket), STR_ARG(s->listen_ip), (long long) s->listen_port,
			 STR_ARG(tls), s->endpoint.n ? "  endpoint: " : "", STR_ARG(s->endpoint),
			 s->endpoint.n ? "\n" : "", STR_ARG(s->ovn_northbound), STR_ARG(s->ovn_southbound),
			 STR_ARG(ovn_tls), STR_ARG(s->ovs_database), STR_ARG(s->chassis), STR_ARG(upstreams));
}

struct servers {
	struct str *at;
	size_t count, capacity;
};

/* Adds hosts "a:5432,b"; a path names a socket. */
static bool add_servers(struct arena *a, struct str hosts, struct servers *servers)
{
	struct str one;
	bool is_whole = true;
	while (is_whole && str_split_next(&hosts, ',', &one))
		if (one.n && one.p[0] != '/' && one.p[0] != '@')
			is_whole = VEC_PUSH(a, servers, str_print(a, "tcp:%" STR_FMT, STR_ARG(one)));
	return is_whole;
}

/* libpq connects to the hosts before the path, and to those of the parameters host and hostaddr. */
bool settings_list_databases(struct arena *a, struct str store, struct strs *ret_servers)
{
	struct servers servers = {0};
	size_t at = str_starts_with(store, STR("postgresql://")) ? strlen("postgresql://")
		    : str_starts_with(store, STR("postgres://")) ? strlen("postgres://")
								 : store.n;
	size_t end = at, question = str_find_char(store, '?', at);
	while (end < question && store.p[end] != '/')
		end++;
	for (size_t k = at; k < end; k++)
		at = store.p[k] == '@' ? k + 1 : at;
	bool is_whole = add_servers(a, str_slice(store, at, end), &servers);
	struct str rest = str_slice(store, question < store.n ? question + 1 : store.n, store.n), pair, hosts;
	while (is_whole && str_split_next(&rest, '&', &pair)) {
		size_t equals = str_find_char(pair, '=', 0);
		struct str name = str_slice(pair, 0, equals);
		if ((str_is(name, "host") || str_is(name, "hostaddr")) && equals < pair.n &&
		    result_is_ok(str_decode_url(a, str_slice(pair, equals + 1, pair.n), &hosts)))
			is_whole = add_servers(a, hosts, &servers);
	}
	*ret_servers = (struct strs){servers.at, servers.count};
	return is_whole;
}

/* Writes the address of a resolver, "198.51.100.53:5353" or "2001:db8::1", as an OVSDB remote. */
static bool add_resolver(struct arena *a, struct str text, struct servers *servers)
{
	size_t colon = str_find_char(text, ':', 0);
	bool is_bare_v6 = text.n && text.p[0] != '[' && str_find_char(text, ':', colon + 1) < text.n;
	const char *form = is_bare_v6 ? "tcp:[%" STR_FMT "]" : "tcp:%" STR_FMT;
	return VEC_PUSH(a, servers, str_print(a, form, STR_ARG(text)));
}

bool settings_list_remotes(struct arena *a, const struct settings *s, struct strs *ret_remotes)
{
	/* "s3://" names a bucket rather than a host */
	bool is_server = str_starts_with(s->backup.url, STR("http"));
	bool has_log_server = str_starts_with(s->flow_log_target, STR("http"));
	const struct str texts[] = {s->ovn_northbound,  s->ovn_southbound,
				    s->ovs_database,    s->store_peer,
				    s->backup.endpoint, is_server ? s->backup.url : STR_NONE,
				    s->image_mirror,    has_log_server ? s->flow_log_target : STR_NONE};
	struct str urls = s->directory.ldap.url, url;
	struct strs databases = {0};
	struct servers list = {0};
	bool is_whole = settings_list_databases(a, s->store, &databases);
	for (size_t k = 0; k < databases.count; k++)
		is_whole = is_whole && VEC_PUSH(a, &list, databases.at[k]);
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		is_whole = is_whole && (!texts[k].n || VEC_PUSH(a, &list, texts[k]));
	for (size_t k = 0; k < s->dns_upstreams.count; k++)
		is_whole = is_whole && add_resolver(a, str_trim(s->dns_upstreams.at[k]), &list);
	while (is_whole && str_split_next(&urls, ' ', &url))
		is_whole = !url.n || VEC_PUSH(a, &list, url);
	*ret_remotes = (struct strs){list.at, list.count};
	return is_whole;
}

const char *settings_store(struct arena *a, const struct settings *s)
{
	return s->store.n ? str_to_z(a, s->store) : settings_path(a, s, "dari.db");
}

const char *settings_path(struct arena *a, const struct settings *s, const char *name)
{
	return str_print(a, "%" STR_FMT "/%s", STR_ARG(s->data_directory), name).p;
}

struct str settings_flow_log_target(struct arena *a, const struct settings *s)
{
	return s->flow_log_target.n ? s->flow_log_target
				    : str_print(a, "file://%s", settings_path(a, s, "flow-logs"));
}

struct str settings_flow_log_bucket(struct arena *a, const struct settings *s)
{
	struct str url = settings_flow_log_target(a, s);
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	bool is_bucket = str_starts_with(url, STR("s3://"));
	struct str name = is_bucket ? str_slice(url, 5, str_find_char(url, '/', 5)) : url;
	for (size_t slash = str_find_char(name, '/', 0); slash < name.n; slash = str_find_char(name, '/', 0))
		name = str_slice(name, slash + 1, name.n);
	return name;
}

struct str settings_endpoint(struct arena *a, const struct settings *s)
{
	if (s->endpoint.n)
		return s->endpoint;
	bool any = str_is(s->listen_ip, "0.0.0.0") || str_is(s->listen_ip, "::");
	return str_print(a, "%s://%" STR_FMT ":%lld", s->tls_certificate.n ? "https" : "http",
			 STR_ARG(any ? STR("127.0.0.1") : s->listen_ip), (long long) s->listen_port);
}
