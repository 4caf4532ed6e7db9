/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: VPN connections. */
#pragma once

#include "api/ec2/core/action.h"
#include "engine/vpn/vpn.h"

struct vpn_connection;
struct vpn_tunnel;

/* The tunnel's pre-shared key; empty: it cannot be opened. */
struct str ec2_open_vpn_key(struct api_call *e, const struct vpn_tunnel *tunnel);
/* customerGatewayConfiguration: what the customer's device is told, in the XML of AWS. */
struct str ec2_write_vpn_configuration(struct api_call *e, const struct vpn_connection *connection);

/* A list of {Value}: "Phase1EncryptionAlgorithm.1.Value". */
struct ec2_vpn_value {
	struct str text;
};
struct ec2_vpn_values {
	const struct ec2_vpn_value *at;
	size_t count;
};
/* Options of a tunnel in a request. */
struct ec2_vpn_options {
	struct vpn_tunnel row;
	struct str key, dpd_action, startup;
	const int64_t *rekey_fuzz;
	struct ec2_vpn_values ike_versions, phase1_encryption, phase1_integrity, phase1_groups,
		phase2_encryption, phase2_integrity, phase2_groups;
};
extern const struct params ec2_vpn_options_params;
/* Turns options into the engine's row. The key is sealed for row.id; without one, a key is made if `makes_key`. field: the
 * parameter that contains the options. */
RESULT ec2_take_vpn_options(struct ec2_call *e, const struct ec2_vpn_options *options, bool makes_key,
			    struct str field, struct vpn_tunnel *row);
