jar single dist test soak clients real bench aot run clean:
	./build.sh $@

.PHONY: jar single dist test soak clients real bench aot run clean
