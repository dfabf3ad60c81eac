"""A sample: what somebody calls about who tries the service for the first time. Invented."""

SAMPLE = "楼上卫生间一直往我家滴水，天花板都泡黄了，找物业说让我们自己协商，楼上不开门，能不能派人来看看。"
