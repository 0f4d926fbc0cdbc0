jar single test soak real run clean:
	./build.sh $@

.PHONY: jar single test soak real run clean
