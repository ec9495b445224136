module gonogo.invalid/cluster/crds

go 1.26.0

require (
	github.com/argoproj/argo-rollouts v1.10.1
	github.com/fluxcd/flagger v1.44.0
	istio.io/api v1.32.0
	sigs.k8s.io/gateway-api v1.6.3
)
