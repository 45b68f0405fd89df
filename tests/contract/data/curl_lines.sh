# Get complete proxy configuration
curl -X GET "https://api.tensorone.ai/v1/clusters/cluster_abc123/proxy?include_health=true" \
  -H "Authorization: Bearer YOUR_API_KEY"

# Get proxy config with access logs
curl -X GET "https://api.tensorone.ai/v1/clusters/cluster_abc123/proxy?include_access_logs=true" \
  -H "Authorization: Bearer YOUR_API_KEY"

# Create Jupyter Lab port mapping
curl -X POST "https://api.tensorone.ai/v1/clusters/cluster_abc123/proxy/ports" \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "internal_port": 8888,
    "description": "Jupyter Lab Interface",
    "health_check": {
      "enabled": true,
      "path": "/lab",
      "interval_seconds": 30
    },
    "access_control": {
      "authentication_required": true,
      "allowed_users": ["ml_engineer", "data_scientist"]
    }
  }'

# Create API endpoint with custom domain
curl -X POST "https://api.tensorone.ai/v1/clusters/cluster_abc123/proxy/ports" \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "internal_port": 8000,
    "external_port": 443,
    "description": "ML Model API",
    "custom_domain": "api.ml-project.com",
    "health_check": {
      "enabled": true,
      "path": "/health",
      "interval_seconds": 15,
      "timeout_seconds": 5
    },
    "access_control": {
      "authentication_required": false,
      "rate_limit": {
        "requests_per_minute": 500,
        "burst_size": 100
      }
    }
  }'

# Update port mapping configuration
curl -X PUT "https://api.tensorone.ai/v1/clusters/cluster_abc123/proxy/ports/port_123" \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "description": "Updated Jupyter Lab Environment",
    "health_check": {
      "enabled": true,
      "path": "/lab/tree",
      "interval_seconds": 15,
      "timeout_seconds": 8
    },
    "access_control": {
      "authentication_required": true,
      "allowed_users": ["ml_engineer", "data_scientist", "researcher"],
      "rate_limit": {
        "requests_per_minute": 150,
        "burst_size": 30
      }
    }
  }'

# Configure cluster-wide access control
curl -X PUT "https://api.tensorone.ai/v1/clusters/cluster_abc123/proxy/access" \
  -H "Authorization: Bearer YOUR_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "default_authentication": true,
    "session_timeout_minutes": 240,
    "max_concurrent_sessions": 20,
    "ip_whitelist": ["203.0.113.0/24", "198.51.100.0/24"],
    "rate_limiting": {
      "global_limit": {
        "requests_per_minute": 2000,
        "burst_size": 500
      },
      "per_user_limit": {
        "requests_per_minute": 300,
        "burst_size": 100
      }
    },
    "security_headers": {
      "hsts_enabled": true,
      "content_security_policy": "default-src self; script-src self unsafe-inline",
      "x_frame_options": "SAMEORIGIN"
    }
  }'

# Update the proxy (second version)
curl --request PUT \
  --url https://api.tensorone.ai/v2/clusters/{cluster_id}/proxy \
  --header 'Authorization: <api-key>' \
  --header 'Content-Type: application/json' \
  --data '{
  "enabled": true,
  "allowedIps": [
    "<string>"
  ]
}'
