module dari.example/tour

go 1.25

require github.com/apache/cloudstack-go/v2 v2.19.0

require go.uber.org/mock v0.5.0 // indirect
