/* SPDX-License-Identifier: Apache-2.0
 * Names of kinds, and messages by service, failure and kind. */
#include "api/openstack/core/words.h"

static struct str write_id(struct arena *a, enum kind kind, uuid id)
{
	bool is_of_identity = kind == KIND_ACCOUNT || kind == KIND_DOMAIN || kind == KIND_USER ||
			      kind == KIND_USER_GROUP || kind == KIND_ROLE || kind == KIND_TRUST ||
			      kind == KIND_ACCESS_RULE;
	if (kind == KIND_DOMAIN && uuid_equal(id, DOMAIN_DEFAULT))
		return STR("default");
	return is_of_identity ? str_encode_hex(a, id.b, sizeof id.b) : uuid_to_str(a, id);
}

const struct kind_words os_words = {
	.of =
		{
			[KIND_ACCOUNT] = "project",
			[KIND_INSTANCE_TYPE] = "flavor",
			[KIND_ADDRESS_RANGE] = "subnet",
			[KIND_ROUTER] = "router",
			[KIND_GATEWAY] = "external gateway",
			[KIND_PORT] = "port",
			[KIND_ADDRESS] = "floating IP",
			[KIND_PORT_FORWARDING] = "port forwarding",
		},
	.lingers = {[KIND_VOLUME] = true, [KIND_SNAPSHOT] = true, [KIND_BACKUP] = true},
	.write_id = write_id,
};

#define BIT(service) (1u << OS_##service)
#define S(service, err, kind, says)                                                                          \
	{                                                                                                    \
		BIT(service), ERR_##err, KIND_##kind, says                                                   \
	}
/* "*" stands for the problem's subject, "&" for the engine's message. */
#define BAD_FORWARDING "Bad port_forwarding request: &."
static const struct {
	unsigned services;
	enum err err;
	enum kind kind;
	const char *says;
} sentences[] = {
	S(IDENTITY, NOT_FOUND, ACCOUNT, "Could not find project: *."),
	S(IDENTITY, NOT_FOUND, DOMAIN, "Could not find domain: *."),
	S(IDENTITY, NOT_FOUND, USER, "Could not find user: *."),
	S(IDENTITY, NOT_FOUND, USER_GROUP, "Could not find group: *."),
	S(IDENTITY, NOT_FOUND, ROLE, "Could not find role: *."),
	S(IDENTITY, NOT_FOUND, ACCESS_RULE, "Could not find Access Rule: *."),
	S(IDENTITY, NOT_FOUND, TRUST, "Could not find trust: *."),
	S(IDENTITY, NOT_FOUND, REGISTERED_LIMIT, "Could not find registered limit for *."),
	S(IDENTITY, NOT_FOUND, PROJECT_LIMIT, "Could not find limit for *."),
	S(IDENTITY, NOT_FOUND, APPLICATION_CREDENTIAL, "Could not find Application Credential: *."),
	S(COMPUTE, NOT_FOUND, INSTANCE, "Instance * could not be found."),
	S(COMPUTE, NOT_FOUND, INSTANCE_TYPE, "Flavor * could not be found."),
	S(COMPUTE, NOT_FOUND, KEY_PAIR, "Keypair * not found."),
	S(COMPUTE, NOT_FOUND, IMAGE, "Image * could not be found."),
	S(COMPUTE, NOT_FOUND, VOLUME, "Volume * could not be found."),
	S(COMPUTE, NOT_FOUND, SNAPSHOT, "Snapshot * could not be found."),
	S(COMPUTE, NOT_FOUND, NETWORK, "Network * could not be found."),
	S(COMPUTE, NOT_FOUND, PORT, "Port id * could not be found."),
	S(COMPUTE, NOT_FOUND, SECURITY_GROUP, "Security group * not found."),
	S(COMPUTE, NOT_FOUND, SERVER_GROUP, "Instance group * could not be found."),
	S(COMPUTE, NOT_FOUND, HOST, "Compute host * could not be found."),
	S(COMPUTE, IN_USE, PORT, "Port * is still in use."),
	S(IMAGE, NOT_FOUND, IMAGE, "No image found with ID *"),
	S(KEY_MANAGER, NOT_FOUND, SECRET, "Not Found. Sorry but your secret is in another castle."),
	S(KEY_MANAGER, NOT_FOUND, SECRET_CONTAINER,
	  "Not Found. Sorry but your container is in another castle."),
	S(ALARMING, NOT_FOUND, ALARM, "Alarm * not found"),
	S(METRIC, NOT_FOUND, METRIC, "Metric * does not exist"),
	S(METRIC, NOT_FOUND, INSTANCE, "Resource * does not exist"),
	S(LOAD_BALANCER, NOT_FOUND, ELASTIC_LOAD_BALANCER, "Load Balancer * not found."),
	S(LOAD_BALANCER, NOT_FOUND, LISTENER, "Listener * not found."),
	S(LOAD_BALANCER, NOT_FOUND, TARGET_GROUP, "Pool * not found."),
	S(LOAD_BALANCER, NOT_FOUND, TARGET, "Member * not found."),
	S(LOAD_BALANCER, NOT_FOUND, LISTENER_RULE, "L7Policy * not found."),
	S(LOAD_BALANCER, NOT_FOUND, L7_RULE, "L7Rule * not found."),
	S(LOAD_BALANCER, NOT_FOUND, SUBNET, "Subnet * not found."),
	S(LOAD_BALANCER, NOT_FOUND, NETWORK, "Network * not found."),
	S(LOAD_BALANCER, NOT_FOUND, PORT, "Port * not found."),
	S(LOAD_BALANCER, UNSUPPORTED, PROXY, "Provider 'dari' does not support a requested option: &"),
	S(LOAD_BALANCER, QUOTA, ELASTIC_LOAD_BALANCER, "Quota has been met for resources: LoadBalancer"),
	S(LOAD_BALANCER, QUOTA, LISTENER, "Quota has been met for resources: Listener"),
	S(LOAD_BALANCER, QUOTA, LISTENER_RULE, "Quota has been met for resources: L7Policy"),
	S(LOAD_BALANCER, QUOTA, L7_RULE, "Too many rules on L7 policy: &"),
	S(LOAD_BALANCER, QUOTA, TARGET_GROUP, "Quota has been met for resources: Pool"),
	S(LOAD_BALANCER, QUOTA, TARGET, "Quota has been met for resources: Member"),
	S(NETWORK, NOT_FOUND, NETWORK, "Network * could not be found."),
	S(NETWORK, NOT_FOUND, SUBNET_POOL, "Subnet pool * could not be found."),
	S(NETWORK, NOT_FOUND, NETWORK_GRANT, "RBAC policy with ID * not found"),
	S(NETWORK, NOT_FOUND, EXTERNAL_NETWORK, "Network * could not be found."),
	S(NETWORK, NOT_FOUND, SUBNET, "Subnet * could not be found."),
	S(NETWORK, NOT_FOUND, ADDRESS_RANGE, "Subnet * could not be found."),
	S(NETWORK, NOT_FOUND, PORT, "Port * could not be found."),
	S(NETWORK, NOT_FOUND, ROUTER, "Router * could not be found"),
	S(NETWORK, NOT_FOUND, ADDRESS, "Floating IP * could not be found"),
	S(NETWORK, NOT_FOUND, PORT_FORWARDING, "Port Forwarding * could not be found."),
	S(NETWORK, INVALID, PORT_FORWARDING, BAD_FORWARDING),
	S(NETWORK, RANGE, PORT_FORWARDING, BAD_FORWARDING),
	S(NETWORK, STATE, PORT_FORWARDING, BAD_FORWARDING),
	S(NETWORK, CONFLICT, PORT_FORWARDING, BAD_FORWARDING),
	S(NETWORK, EXISTS, PORT_FORWARDING, BAD_FORWARDING),
	S(NETWORK, NOT_FOUND, ADDRESS_SCOPE, "Address scope * could not be found."),
	S(NETWORK, IN_USE, ADDRESS_SCOPE,
	  "Unable to complete operation on address scope *. There are one or more subnet pools in use on the "
	  "address scope."),
	S(NETWORK, NOT_FOUND, QOS_POLICY, "QoS policy * could not be found."),
	S(NETWORK, NOT_FOUND, TRUNK, "Trunk * could not be found."),
	S(NETWORK, NOT_FOUND, VPN_SERVICE, "VPNService * could not be found"),
	S(NETWORK, NOT_FOUND, VPN_CONNECTION, "ipsec_site_connection * not found"),
	S(NETWORK, NOT_FOUND, IKE_POLICY, "IKEPolicy * could not be found"),
	S(NETWORK, NOT_FOUND, IPSEC_POLICY, "IPsecPolicy * could not be found"),
	S(NETWORK, NOT_FOUND, VPN_ENDPOINT_GROUP, "Endpoint group * could not be found"),
	S(NETWORK, NOT_FOUND, ADDRESS_GROUP, "Address group * could not be found."),
	S(NETWORK, NOT_FOUND, SECURITY_GROUP, "Security group * does not exist"),
	S(NETWORK, NOT_FOUND, SECURITY_GROUP_RULE, "Security group rule * does not exist"),
	S(NETWORK, NOT_FOUND, ACCOUNT, "Project * could not be found."),
	S(NETWORK, NOT_FOUND, HOST, "Agent * could not be found."),
	S(NETWORK, IN_USE, NETWORK,
	  "Unable to complete operation on network *. There are one or more ports still in use on the "
	  "network."),
	S(NETWORK, IN_USE, NETWORK_GRANT,
	  "RBAC policy on object * cannot be removed because other objects depend on it."),
	S(NETWORK, EXISTS, NETWORK_GRANT, "An RBAC policy already exists with those values."),
	S(NETWORK, IN_USE, SUBNET_POOL,
	  "Unable to delete subnet pool: Subnet pool has existing allocations."),
	S(NETWORK, IN_USE, SUBNET,
	  "Unable to complete operation on subnet *: One or more ports have an IP allocation from this "
	  "subnet."),
	S(NETWORK, IN_USE, ROUTER, "Router * still has ports"),
	S(NETWORK, IN_USE, PORT, "Port * is still in use."),
	S(NETWORK, IN_USE, ADDRESS_GROUP, "Address group * is in use on one or more security group rules."),
	S(NETWORK, IN_USE, SECURITY_GROUP, "Security Group * in use."),
	S(NETWORK, EXISTS, SECURITY_GROUP_RULE, "Security group rule already exists. Rule id is *."),
	S(NETWORK, STATE, GATEWAY,
	  "External network is not reachable from the port's subnet. Therefore, cannot associate the port "
	  "with a Floating IP."),
	S(NETWORK, PROTECTED, PORT,
	  "Port * cannot be deleted directly via the port API: has device owner of a router."),
	S(NETWORK, PROTECTED, SECURITY_GROUP, "Insufficient rights for removing default security group."),
	S(NETWORK, QUOTA, NETWORK, "Quota exceeded for resources: ['network']."),
	S(NETWORK, QUOTA, ROUTER, "Quota exceeded for resources: ['router']."),
	S(NETWORK, QUOTA, ADDRESS, "Quota exceeded for resources: ['floatingip']."),
	S(NETWORK, QUOTA, SECURITY_GROUP, "Quota exceeded for resources: ['security_group']."),
	S(NETWORK, QUOTA, NETWORK_GRANT, "Quota exceeded for resources: ['rbac_policy']."),
	S(COMPUTE, QUOTA, KEY_PAIR, "Quota exceeded, too many key pairs."),
	S(VOLUME, NOT_FOUND, VOLUME_ATTACHMENT,
	  "Volume attachment could not be found with filter: attachment_id = *."),
	S(VOLUME, NOT_FOUND, VOLUME, "Volume * could not be found."),
	S(VOLUME, NOT_FOUND, SNAPSHOT, "Snapshot * could not be found."),
	S(VOLUME, NOT_FOUND, BACKUP, "Backup * could not be found."),
	S(VOLUME, NOT_FOUND, CONDITION, "Message * could not be found."),
	S(VOLUME, QUOTA, VOLUME, "Maximum number of volumes allowed (*) exceeded for quota 'volumes'."),
	S(VOLUME, QUOTA, SNAPSHOT, "Maximum number of snapshots allowed (*) exceeded"),
	S(VOLUME, QUOTA, BACKUP, "Maximum number of backups allowed (*) exceeded"),
	S(VOLUME, NOT_FOUND, VOLUME_TYPE, "Volume type * could not be found."),
	S(VOLUME, NOT_FOUND, VOLUME_QOS, "No such QoS spec *."),
	S(VOLUME, NOT_FOUND, VOLUME_GROUP_TYPE, "Group type * could not be found."),
	S(VOLUME, NOT_FOUND, VOLUME_GROUP, "Group * could not be found."),
	S(VOLUME, NOT_FOUND, VOLUME_GROUP_SNAPSHOT, "GroupSnapshot * could not be found."),
	S(VOLUME, NOT_FOUND, IMAGE, "Image * could not be found."),
	S(VOLUME, NOT_FOUND, INSTANCE, "Instance * could not be found."),
};

struct str os_say_problem(struct os_call *e, const struct problem *problem)
{
	for (size_t k = 0; k < sizeof sentences / sizeof sentences[0]; k++) {
		struct str says = str_from(sentences[k].says);
		bool has_message = str_find_char(says, '&', 0) < says.n;
		struct str subject = has_message ? problem->message : problem->subject;
		size_t gap = str_find_char(says, has_message ? '&' : '*', 0);
		if (sentences[k].err != problem->err || (int) sentences[k].kind != problem->kind ||
		    !(sentences[k].services & 1u << e->service))
			continue;
		if (gap == says.n)
			return says;
		if (str_is_empty(subject))
			break; /* the problem has another subject than the sentence expects */
		return str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT,
				 STR_ARG(str_slice(says, 0, gap)), STR_ARG(subject),
				 STR_ARG(str_slice(says, gap + 1, says.n)));
	}
	return problem->message;
}
