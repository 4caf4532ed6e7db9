/* SPDX-License-Identifier: Apache-2.0
 * dari cluster …: Kubernetes clusters made from a template. */
#include <inttypes.h>

#include "daemon/client/ask.h"
#include "daemon/command.h"

/* ---- look-ups ---- */

/* suffix: end of the call's path, behind the cluster's id. */
static RESULT find_cluster(struct asking *a, const char *suffix, const json_t **ret_row,
			   const char **ret_path)
{
	TRY(asking_find_named(a, "/clusters", "*", "clusters", ret_row));
	*ret_path = asking_path(a, "/clusters", *ret_row, suffix);
	return *ret_path ? OK : ctx_no_memory(a->c);
}

/* ---- reads ---- */

static RESULT list_clusters(struct asking *a)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/clusters", "*", &rows));
	buf_print(&a->text, "%-28s %-9s %-9s %-13s %-7s %-15s %s\n", "name", "version", "status",
		  "control plane", "workers", "address", "problem");
	json_array_foreach (rows, k, row) {
		struct str name = asking_text(row, "name"), version = asking_text(row, "version"),
			   status = asking_text(row, "status"), address = asking_text(row, "address"),
			   problem = asking_text(row, "problem");
		buf_print(&a->text,
			  "%-28.*s %-9.*s %-9.*s %-13" PRId64 " %-7" PRId64 " %-15.*s %" STR_FMT "\n",
			  STR_ARG(name), STR_ARG(version), STR_ARG(status), asking_int(row, "control_count"),
			  asking_int(row, "workers"), STR_ARG(address), STR_ARG(problem));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

static void write_cluster(struct asking *a, const json_t *row)
{
	struct str name = asking_text(row, "name"), version = asking_text(row, "version"),
		   status = asking_text(row, "status"), address = asking_text(row, "address"),
		   endpoint = asking_text(row, "endpoint"), problem = asking_text(row, "problem");
	buf_print(&a->text, "name      %" STR_FMT "\nversion   %" STR_FMT "%s\nstatus    %" STR_FMT "\n",
		  STR_ARG(name), STR_ARG(version),
		  asking_bool(row, "is_checked") ? ""
						 : " (not checked: the image has no tag kubernetes-version)",
		  STR_ARG(status));
	if (problem.n)
		buf_print(&a->text, "problem   %" STR_FMT "\n", STR_ARG(problem));
	buf_print(&a->text, "API       https://%" STR_FMT ":6443\nendpoint  %" STR_FMT ":6443\n\n",
		  STR_ARG(address), STR_ARG(endpoint));
}

static RESULT show_cluster(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	json_t *machine = NULL;
	const char *path = NULL;
	size_t k = 0;
	TRY(find_cluster(a, "/machines", &row, &path));
	TRY(asking_read(a, path, "", &answer));
	write_cluster(a, row);
	buf_print(&a->text, "%-21s %-13s %-14s %s\n", "machine", "role", "state", "address");
	json_array_foreach (json_object_get(answer, "items"), k, machine) {
		struct str id = asking_text(machine, "ec2_id"), role = asking_text(machine, "role"),
			   state = asking_text(machine, "state"), ip = asking_text(machine, "private_ip");
		buf_print(&a->text, "%-21.*s %-13.*s %-14.*s %" STR_FMT "\n", STR_ARG(id), STR_ARG(role),
			  STR_ARG(state), STR_ARG(ip));
	}
	json_decref(a->value);
	a->value = json_deep_copy(row);
	(void) json_object_set(a->value, "machines", json_object_get(answer, "items"));
	return a->value ? OK : ctx_no_memory(a->c);
}

/* ---- changes ---- */

static const struct carried members[] = {
	{"name", "name"},
	{"account", "account"},
	{"version", "version"},
	{"image", "image"},
	{"control_type", "control-type"},
	{"worker_type", "worker-type"},
	{"control_count", "control-plane", CARRY_NUMBER},
	{"workers", "workers", CARRY_NUMBER},
	{"subnets", "subnet", CARRY_LINES},
	{"network", "network"},
	{"pod_network", "pod-network"},
	{"service_network", "service-network"},
	{"sources", "source", CARRY_LINES},
	{"is_internal", "internal"},
	{"key_pair", "key-pair"},
	{"profile", "profile"},
	{"registry", "registry"},
	{"packages", "packages"},
	{"packages_key", "packages-key", CARRY_FILE},
	{"manifests", "manifest", CARRY_LINES},
};

static RESULT send_change(struct asking *a, const char *method, const char *path, const json_t *body,
			  const char *done)
{
	const json_t *answer = NULL;
	struct str name = asking_arg(a, "name");
	TRY(asking_change(a, method, path, body, &answer));
	buf_print(&a->text, "cluster %" STR_FMT " %s\n", STR_ARG(name), done);
	asking_tell_nothing(a);
	return OK;
}

static RESULT create_cluster(struct asking *a)
{
	json_t *body = json_object();
	struct result result = asking_carry_all(a, members, sizeof members / sizeof *members, body);
	if (result_is_ok(result))
		result = send_change(a, "POST", "/clusters", body,
				     "is being created; follow it with: dari cluster show");
	json_decref(body);
	return result;
}

static RESULT scale_cluster(struct asking *a)
{
	const json_t *row = NULL;
	const char *path = NULL;
	json_t *body = json_object();
	struct result result = find_cluster(a, "", &row, &path);
	if (result_is_ok(result))
		result = asking_carry(a, &(struct carried){"workers", "workers", CARRY_NUMBER}, body);
	if (result_is_ok(result))
		result = send_change(a, "PATCH", path, body, "changes its number of workers");
	json_decref(body);
	return result;
}

static RESULT delete_cluster(struct asking *a)
{
	const json_t *row = NULL;
	const char *path = NULL;
	TRY(find_cluster(a, "", &row, &path));
	return send_change(a, "DELETE", path, NULL, "is being deleted");
}

/* Prints the kubeconfig, so that it can be redirected to a file that only its owner reads. */
static RESULT get_kubeconfig(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	const char *path = NULL;
	json_t *body = json_object();
	struct result result = find_cluster(a, "/kubeconfig", &row, &path);
	if (result_is_ok(result))
		result = asking_carry(a, &(struct carried){"hours", "hours", CARRY_NUMBER}, body);
	if (result_is_ok(result))
		result = asking_change(a, "POST", path, body, &answer);
	json_decref(body);
	TRY(result);
	buf_add_str(&a->text, asking_text(answer, "kubeconfig"));
	json_decref(a->value);
	a->value = json_pack("{s:O, s:O}", "expires_us", json_object_get(answer, "expires_us"), "kubeconfig",
			     json_object_get(answer, "kubeconfig"));
	return a->value ? OK : ctx_no_memory(a->c);
}

/* ---- commands ---- */

#define NAME                                                                                                 \
	{                                                                                                    \
		"name", PARAM_POSITIONAL, true, "The cluster's name or id."                                  \
	}

const struct command cluster_commands[] = {
	{"cluster list", "Lists Kubernetes clusters.", .ask = list_clusters},
	{"cluster show", "Shows a cluster with its machines.", {NAME}, .ask = show_cluster},
	{"cluster create",
	 "Creates a Kubernetes cluster: network, load balancer, control plane and workers.",
	 {{"name", PARAM_POSITIONAL, true, "Its name: lower-case letters, digits and '-'."},
	  {"account", PARAM_OPTION, false, "The account that owns it (default: the caller's)."},
	  {"workers", PARAM_OPTION, false, "Number of workers (default: 1)."},
	  {"version", PARAM_OPTION, false, "Kubernetes' version (default: that of the image's tag)."},
	  {"image", PARAM_OPTION, false,
	   "Image with kubeadm (default: the newest with the tag kubernetes-version)."},
	  {"control-plane", PARAM_OPTION, false, "Machines of the control plane: 1 (default) or 3."},
	  {"control-type", PARAM_OPTION, false, "Instance type of the control plane (default: t3.medium)."},
	  {"worker-type", PARAM_OPTION, false, "Instance type of the workers (default: t3.medium)."},
	  {"subnet", PARAM_OPTION, false, "Subnet of an existing VPC; may be repeated (default: a new VPC).",
	   .repeats = true},
	  {"network", PARAM_OPTION, false, "Block of the new VPC (default: 10.30.0.0/16)."},
	  {"pod-network", PARAM_OPTION, false, "Block of the pods (default: 10.244.0.0/16)."},
	  {"service-network", PARAM_OPTION, false, "Block of the Services (default: 10.96.0.0/12)."},
	  {"source", PARAM_OPTION, false,
	   "Block of clients that reach the API; may be repeated (default: all).", .repeats = true},
	  {"internal", PARAM_FLAG, false, "Gives the API a private address only."},
	  {"key-pair", PARAM_OPTION, false, "Key pair for SSH (default: none)."},
	  {"profile", PARAM_OPTION, false, "Instance profile for the cloud controller manager."},
	  {"registry", PARAM_OPTION, false, "Registry of Kubernetes' container images."},
	  {"packages", PARAM_OPTION, false, "URL of a Debian repository with kubeadm."},
	  {"packages-key", PARAM_OPTION, false, "File with the key that signs it.", .is_path = true},
	  {"manifest", PARAM_OPTION, false, "URL of a manifest to apply; may be repeated.", .repeats = true}},
	 .ask = create_cluster},
	{"cluster scale",
	 "Changes the number of workers.",
	 {NAME, {"workers", PARAM_OPTION, true, "Number of workers."}},
	 .ask = scale_cluster},
	{"cluster kubeconfig",
	 "Issues a client certificate of the administrators, and prints a kubeconfig with it.",
	 {NAME, {"hours", PARAM_OPTION, false, "Hours until it expires (default: 24)."}},
	 .ask = get_kubeconfig},
	{"cluster delete",
	 "Deletes a cluster with everything that was made for it.",
	 {NAME},
	 .ask = delete_cluster},
	{0},
};
