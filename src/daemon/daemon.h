/* SPDX-License-Identifier: Apache-2.0
 * The running control plane: its configuration and its parts, in the order of starting; they end in
 * reverse. */
#pragma once

#include <pthread.h>
#include <signal.h>

#include "auth/directory/directory_sync.h"
#include "auth/guard/guard.h"
#include "auth/key/last_used.h"
#include "auth/key/sigv4.h"
#include "auth/limit.h"
#include "auth/sign_in/login.h"
#include "auth/token/issuers.h"
#include "auth/token/ticket.h"
#include "auth/token/token.h"
#include "base/config.h"
#include "base/crypto.h"
#include "drivers/backup_store.h"
#include "drivers/compute.h"
#include "drivers/network.h"
#include "drivers/plug.h"
#include "drivers/proxy.h"
#include "drivers/vpn.h"
#include "engine/capacity.h"
#include "http/forwarded.h"
#include "http/server.h"
#include "reconcile/reconcile.h"
#include "store/store.h"

/* The configuration file, /etc/dari/dari.yaml (daemon/settings.c lists the keys and their meanings). */
struct settings {
	struct str region, region_id, data_directory, control_socket, log_level;
	struct str store; /* PostgreSQL's URL, or a path of SQLite; empty: dari.db in the data directory */
	struct str store_peer; /* URL for other processes of that database; empty: the endpoint */
	struct str listen_ip, tls_certificate, tls_key;
	int64_t listen_port, cloudstack_port; /* the latter 0: none */
	struct str endpoint;                  /* address given to clients; empty: derived from the listener */
	struct str ovn_northbound, ovn_southbound, ovs_database, chassis;
	struct str ovn_authority, ovn_certificate, ovn_key; /* PEM files for ssl: addresses; empty: none */
	struct strs dns_upstreams;
	int64_t shutdown_grace_s, host_interval_s, figures_interval_s, token_lifetime_s;
	int64_t image_keep_h, image_unneeded_gib, image_reserve_percent;
	int64_t connections, connections_per_address, connections_per_account;
	struct str novnc_directory;
	struct strs fetch_not_from, fetch_also_from;
	struct strs proxies;     /* addresses and blocks */
	struct str proxy_header; /* X-Forwarded-For or Forwarded */
	struct str image_mirror;
	struct str export_directory;   /* empty: "exports" in the data directory */
	struct str playbook_directory; /* empty: policies run no playbooks */
	struct str playbook_runner;
	struct str playbook_user; /* name; "own": the server's */
	struct backup_target backup;
	struct str flow_log_target, flow_log_listen; /* the first empty: a directory of the data directory */
	struct strs flow_log_exporters;
	int64_t log_mib_a_day; /* an account's files of logs */
	struct str traffic_device, traffic_netns;
	int64_t consoles, consoles_per_account, console_idle_s;
	int64_t events_days, events_max;
	struct limits_config limits;
	int64_t password_memory_kib, password_passes, password_failures, password_locked_s;
	struct login_directory directory; /* URL empty: none */
	struct str directory_password_file;
	bool directory_start_tls;
	int64_t directory_timeout_s, directory_refresh_s;
};

/* Reads and validates the file; strings are in c's arena. */
RESULT settings_load(struct ctx *c, const char *path, struct settings *ret_settings);
/* Reads a file that need not be a region's: no key has to be there. */
RESULT settings_read(struct ctx *c, const char *path, struct settings *ret_settings);
/* Parses the text of such a file; `path` stands in messages alone. */
RESULT settings_parse(struct ctx *c, struct str text, const char *path, struct settings *ret_settings);
/* Calls each for every key, in the manual's order. */
void settings_each_key(void (*each)(void *arg, const struct config_key *key), void *arg);
/* Calls each for every file that the configuration names; paths are in the arena. A failure of each() is returned. */
RESULT settings_each_file(struct arena *a, const struct settings *s,
			  RESULT (*each)(void *arg, const char *path), void *arg);
/* Sets the values of an empty file. */
RESULT settings_fill_defaults(struct ctx *c, struct settings *ret_settings);
/* The text of a new file, for `dari init`. */
struct str settings_write(struct arena *a, const struct settings *s);
/* The database's place for sql_open(). */
const char *settings_store(struct arena *a, const struct settings *s);
/* Servers of the database in the form of drivers/egress_policy.h: "tcp:10.0.0.1:5432". None for SQLite and for a
 * socket of this machine. False: out of memory. */
bool settings_list_databases(struct arena *a, struct str store, struct strs *ret_servers);
/* All servers that the configuration names and the region connects to, in the same form or as URLs: accounts' downloads
 * may not reach them. False: out of memory. */
bool settings_list_remotes(struct arena *a, const struct settings *s, struct strs *ret_remotes);
/* Paths in the data directory; in the arena. */
const char *settings_path(struct arena *a, const struct settings *s, const char *name);
/* URL of the place of flow logs, and the name of the bucket that it stands for. */
struct str settings_flow_log_target(struct arena *a, const struct settings *s);
struct str settings_flow_log_bucket(struct arena *a, const struct settings *s);
/* "http://127.0.0.1:8788", or with https. */
struct str settings_endpoint(struct arena *a, const struct settings *s);

/* Creates a region: data directory, master key, and database with these zones ("a" or "us-east-1a"). An
 * existing one keeps its key and its id, which is returned in s->region_id. more, if not NULL, is called with
 * the database open and d's settings, store and master key set. ERR_IN_USE: a server is running. */
struct daemon;
RESULT init_region(struct ctx *c, struct settings *s, struct str zones,
		   RESULT (*more)(struct daemon *d, void *arg), void *arg);

struct console_face;
struct control;
struct login_links;
struct keeper;
struct daemon_role;
struct api_face;
struct metadata;
struct relay;
struct egress_policy;

struct daemon {
	const struct daemon_role *role;
	void *role_data;     /* the role's own */
	struct arena *arena; /* settings and everything that lives as long as the process */
	struct ctx ctx;
	struct settings settings;
	const char *config_path; /* the configuration file, which the role's prepare() names */
	uint8_t master_key[MASTER_KEY_SIZE];
	uuid region_id;
	struct sql_driver *sql; /* the store's; for reading events */
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	struct proxy_handle balancer_proxies;
	struct vpn_handle vpns;
	const struct compute_driver *compute[RECONCILE_DRIVERS_MAX]; /* NULL-terminated */
	const struct fence_driver *fences[RECONCILE_DRIVERS_MAX];    /* likewise */
	const struct disk_driver *disks[RECONCILE_DRIVERS_MAX];      /* likewise */
	struct plugs *plugs;                                         /* NULL: none */
	int listen_fd; /* an already bound socket for the API; 0: bind as in the settings */
	struct reconciler *reconciler;
	struct http_server *http;
	struct http_listener *listeners
		[2]; /* the API's, and the second one's if there is one; their certificate is renewed */
	struct http_proxies proxies; /* before the API's listeners */
	struct last_used *uses;
	struct egress_policy *reach;
	struct issuers *issuers;
	struct sigv4 *sigv4;
	struct passwords *passwords;
	struct directory_sync *directory_sync; /* NULL: no directory */
	struct lane *key_lane;
	struct tokens *tokens;
	struct bearers *bearers;
	struct tickets *tickets;
	struct login_links *entries;
	struct limits *limits;
	struct guards *guards;
	struct api_face *ec2, *iam, *acm, *connect, *cost, *events, *cloudwatch, *dlm, *awsbackup, *ebs,
		*autoscaling, *elb, *elb_classic, *sqs, *sns, *support, *tmf, *scim, *absent, *azure,
		*cloudstack, *cloudstack_upload, *openstack, *native;
	struct relay *relay;
	struct console_face *console;
	struct metadata *metadata;
	struct control *control;
	struct keeper *authority; /* authority.c's */
	struct {
		pthread_mutex_t lock; /* guards `at`: several HTTP threads may ask for health at once */
		struct capacity_sweep at[CAPACITY_COUNT];
	} sweeps; /* health.c's */
	int64_t started_us;
	struct follower *follower; /* NULL: this process writes */
	const sigset_t *awaited;   /* signals that end the process; blocked */
	bool is_told_to_end;       /* such a signal came while the process waited to be the writer */
};

/* The differences between `dari serve` and `dari dev`. NULL: nothing to do. */
struct daemon_role {
	/* Runs first: sets d->settings, and d->listen_fd if the socket is already bound. */
	RESULT (*prepare)(struct daemon *d);
	/* Runs with the store open: sets d->network, d->compute, d->plugs. */
	RESULT (*open_drivers)(struct daemon *d);
	RESULT (*started)(struct daemon *d); /* all parts run, requests are answered */
	RESULT (*follows)(struct daemon *d); /* likewise, in a follower */
	void (*ended)(struct daemon *d);     /* no part runs any more */
	/* Reports a failed start; d->ctx.problem has the message. */
	void (*report_failure)(struct daemon *d, struct result result);
};

/* Starts all parts and serves until SIGTERM, SIGINT or a SIGHUP that renews no certificate; then ends them in
 * reverse. Returns the exit status. */
int daemon_run(const struct daemon_role *role, void *role_data);

int serve_run(const char *config_path); /* serve.c: real drivers */

/* dev.c: a region with simulated hosts on loopback. */
struct dev_wish {
	struct str data;         /* directory; empty: a temporary one */
	int64_t port;            /* 0: any free one; negative: DEV_PORT */
	int64_t cloudstack_port; /* second listener; 0: none */
	bool has_tls;            /* with its own certificate, as az requires */
	int64_t host_count;
	int64_t address_count; /* public addresses, and the same number for router gateways */
	bool at_once;          /* simulated work takes no time */
	struct str proxies;    /* trusted reverse proxies, comma separated */
	struct str directory;  /* configuration file; the region takes its keys directory.…; empty: none */
	struct str fetch_from; /* addresses that are fetched from though they are inside, comma separated */
	struct str playbook_user; /* empty: playbooks run as this process */
	struct str store;         /* the database, as in the settings */
	bool limited;             /* requests have the limits that `dari serve` gives them */
	int64_t leftover_count;   /* disks on the first host that have no rows */
};
enum {
	DEV_PORT = 4280,
	DEV_HOSTS = 4,
	DEV_HOSTS_MAX = 1000,
	DEV_ADDRESSES = 65000,
	DEV_LEFTOVERS_MAX = 1000
};
int dev_run(const struct dev_wish *wish);

/* ---- control.c: the operator's unix socket, and the commands ---- */

struct native_commands;
/* Creates the commands before the face that offers them; doesn't listen yet. */
RESULT control_new(struct ctx *c, struct daemon *d, struct control **ret_control);
/* The commands for that face; valid as long as the control. */
const struct native_commands *control_commands(const struct control *control);
/* Serves /api/v1 on the control socket for the operator. Requires the HTTP server and its face. */
RESULT control_listen(struct ctx *c, struct daemon *d, struct control *control);
/* Waits for running commands, after the HTTP server has stopped. Ignores NULL. */
void control_free(struct control *control);

/* egress_policy.c: sets d->reach. ERR_INVALID: an invalid block in the configuration. */
RESULT egress_policy_open(struct daemon *d);

/* ---- writer.c: one writer of several processes on one database ---- */

/* Opens the database, as its writer or, while another process writes, as a follower: sets d->sql, d->store and
 * d->follower. Waits for a database that cannot be followed. ERR_AGAIN: a signal has ended the wait. */
RESULT writer_open_store(struct daemon *d, const struct store_config *config, const char *path);
/* True while this process may call hosts and OVN: reconcile_config's may_act. */
bool writer_may_act(void *self);
/* Sets the driver's key_mark, so that a database of another master key is refused. */
void writer_mark_key(struct sql_driver *sql, const uint8_t *master_key);

/* ---- health.c: /healthz and /metrics ---- */

/* Handles the two paths on the API's listener; false: another path. */
bool health_handle(struct daemon *d, struct call *call);
